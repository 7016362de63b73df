using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>A seeded random batch with labels for any task: for checks that need no data.</summary>
internal static class SampleBatch
{
    private const int DefaultLength = 12;

    /// <summary>Draws a batch.</summary>
    /// <param name="task">The task, which decides what labels look like.</param>
    /// <param name="vocabulary">Token ids are below it.</param>
    /// <param name="classes">Labels are below it.</param>
    /// <param name="seed">Seed of all numbers.</param>
    /// <param name="sizes">What the model fixes; null = nothing.</param>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="ownLabels">What the model's own input for labels takes, for the task that leaves it to the model.</param>
    public static Batch For(string task, int vocabulary, int classes, long seed, FixedSizes? sizes = null, int rows = 3,
        LabelKind? ownLabels = null)
    {
        var length = sizes is { Length: { } fixedLength }
            ? (sizes.IsPaddingMasked ? Math.Min(DefaultLength, fixedLength) : fixedLength)
            : DefaultLength;
        var random = new SeededRandom(seed, "check/batch");
        long[] dims = [rows, length];
        var given = TextInputs.DefaultsFor(rows, length);
        var inputs = new Dictionary<string, OnnxTensor>(given, StringComparer.Ordinal)
        {
            [TextInputs.Ids] = OnnxTensor.Of<long>(dims, random.NextIndices(rows * length, vocabulary)),
            [TextInputs.DecoderIds] = OnnxTensor.Of<long>(dims, random.NextIndices(rows * length, vocabulary)),
            [TextInputs.DecoderMask] = given[TextInputs.Mask],
        };
        var labels = TrainingTasks.Find(task)?.Labels ?? ownLabels ?? throw new ArgumentNullException(nameof(ownLabels));
        if (labels.Draw?.Invoke(random, (rows, length, classes)) is { } drawn) inputs[TrainingNames.Labels] = drawn;
        return new Batch(inputs, rows, length, rows * length);
    }
}
