using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verification;

/// <summary>The batches on which the second moments of a folded model's activations are measured.</summary>
internal static class Calibration
{
    private const int MostBatches = 16;
    private const double Work = 8e9;           // bytes of weights that are read, over all batches
    private const double Products = 1.5e11;    // bytes of weights times tokens, of a comparison that nobody asked for
    private const int LeastLength = 8;

    /// <summary>Batches that were given, those of a file, or random ones: fewer for a large model, so that measuring takes
    /// seconds.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, Tensor>> For(Model model, VerifyOptions options)
    {
        if (options.Calibration is { } given) return given;
        if (options.Batches is { } batches) return batches;
        if (options.Inputs is { } file) return [Safetensors.Load(file).Tensors];
        var count = (int)Math.Clamp(Work / BytesOf(model), 1, MostBatches);
        return [.. Enumerable.Range(0, count)
            .Select(i => new SampleInputs(model, options.Samples, options.Length, options.Seed + i).Make())];
    }

    /// <summary>The options of a comparison that nobody asked for: shorter samples for a large model.</summary>
    public static VerifyOptions Bounded(Model model, VerifyOptions options) =>
        options with
        {
            Length = (int)Math.Clamp(Products / (BytesOf(model) * options.Samples), Math.Min(LeastLength, options.Length),
            options.Length)
        };

    private static double BytesOf(Model model) => Math.Max(1, model.Graph.Initializers.Sum(value => value.Constant!.ByteCount));
}
