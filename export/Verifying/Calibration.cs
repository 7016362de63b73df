using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>The batches on which the second moments of a folded model's activations are measured, and how long those are on which models
/// are compared.</summary>
internal static class Calibration
{
    private const int MostBatches = 16;
    private const double Work = 8e9;           // bytes of weights that are read, over all batches
    private const double Products = 1.5e11;    // bytes of weights times tokens, of a comparison
    private const int LeastLength = 8, MostLength = 32;

    /// <summary>Batches that were given, those of a file, or random ones: fewer for a large model, so that measuring takes
    /// seconds.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> For(OnnxModel model, VerifyOptions options)
    {
        if (options.Calibration is { } given) return given;
        if (options.Batches is { } batches) return batches;
        if (options.Inputs is { } file) return [Safetensors.Load(file).Tensors];
        var count = (int)Math.Clamp(Work / BytesOf(model), 1, MostBatches);
        return [.. Enumerable.Range(0, count)
            .Select(i => new SampleInputs(model, options.Samples, options.Length ?? MostLength, options.Seed + i).Make())];
    }

    /// <summary>The length of random rows: what was asked for, else 32, and fewer for a large model.</summary>
    public static int LengthOf(OnnxModel model, VerifyOptions options) =>
        options.Length ?? (int)Math.Clamp(Products / (BytesOf(model) * options.Samples), LeastLength, MostLength);

    private static double BytesOf(OnnxModel model) => Math.Max(1, model.Graph.Initializers.Sum(value => value.Constant!.ByteCount));
}
