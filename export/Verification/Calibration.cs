using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verification;

/// <summary>The batches on which the second moments of a folded model's activations are measured.</summary>
internal static class Calibration
{
    private const int MostBatches = 16;
    private const double Work = 1.6e10;   // bytes of weights that are read, over all batches

    /// <summary>Batches that were given, those of a file, or random ones: fewer for a large model, so that measuring takes seconds.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, Tensor>> For(Model model, VerifyOptions options)
    {
        if (options.Calibration is { } given) return given;
        if (options.Batches is { } batches) return batches;
        if (options.Inputs is { } file) return [Safetensors.Load(file).Tensors];
        var count = (int)Math.Clamp(Work / Math.Max(1, model.Graph.Initializers.Sum(value => value.Constant!.ByteCount)), 2, MostBatches);
        return [.. Enumerable.Range(0, count).Select(i => new SampleInputs(model, options.Samples, options.Length, options.Seed + i).Make())];
    }
}
