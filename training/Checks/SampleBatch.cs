using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Checks;

/// <summary>A seeded random batch with labels for any task: for checks that need no data.</summary>
internal static class SampleBatch
{
    private const int Rows = 3;
    private const int Length = 12;

    public static Batch For(string task, int vocabulary, int classes, long seed)
    {
        var random = new SeededRandom(seed, "check/batch");
        long[] Draw(int count, int below) => [.. Enumerable.Range(0, count).Select(_ => (long)random.NextIndex(below))];
        long[] dims = [Rows, Length];
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["input_ids"] = Tensor.Of<long>(dims, Draw(Rows * Length, vocabulary)),
            ["decoder_input_ids"] = Tensor.Of<long>(dims, Draw(Rows * Length, vocabulary)),
            ["attention_mask"] = Tensor.Of<long>(dims, [.. Enumerable.Repeat(1L, Rows * Length)]),
            ["decoder_attention_mask"] = Tensor.Of<long>(dims, [.. Enumerable.Repeat(1L, Rows * Length)]),
            ["token_type_ids"] = Tensor.Of<long>(dims, new long[Rows * Length]),
            ["position_ids"] = Tensor.Of<long>(dims, [.. Enumerable.Range(0, Rows * Length).Select(i => (long)(i % Length))]),
            [TrainingNames.Labels] = task switch
            {
                "classification" => Tensor.Vector<long>(Draw(Rows, classes)),
                "regression" => Tensor.Vector<float>([.. Draw(Rows, 5).Select(value => (float)value)]),
                _ => Tensor.Of<long>(dims, Draw(Rows * Length, classes)),
            },
        };
        return new Batch(inputs, Rows, Length, Rows * Length, Rows * Length);
    }
}
