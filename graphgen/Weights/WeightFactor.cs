namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>What the numbers of a weight W [in, out] are of the stored ones: W = stored · factor, each factor exact and known.</summary>
/// <param name="AtStored">By position in the stored tensor (a Mul between the tensor and the product); null = 1.</param>
/// <param name="ByInput">By input feature (a Mul in front of the product); null = 1.</param>
/// <param name="ByOutput">By output feature of the whole product (a Mul behind it, Gemm's alpha); one number stands for all; null =
/// 1.</param>
internal sealed record WeightFactor(Func<long, float>? AtStored, float[]? ByInput, float[]? ByOutput)
{
    /// <summary>The factor of one number.</summary>
    /// <param name="stored">Position in the stored tensor.</param>
    /// <param name="input">Input feature.</param>
    /// <param name="output">Output feature of the whole product.</param>
    public float At(long stored, long input, long output) => (AtStored?.Invoke(stored) ?? 1) * Of(ByInput, input) * Of(ByOutput, output);

    /// <summary>This factor and others on top.</summary>
    public WeightFactor Times(float[]? byInput, float[]? byOutput) => new(AtStored, Product(ByInput, byInput), Product(ByOutput, byOutput));

    /// <summary>The factor of a feature, where there may be none, one for all, or one for each.</summary>
    public static float Of(float[]? factors, long feature) => factors switch
    {
        null => 1,
        [var single] => single,
        _ => factors[feature],
    };

    private static float[]? Product(float[]? a, float[]? b)
    {
        if (a is null || b is null) return a ?? b;
        return [.. Enumerable.Range(0, Math.Max(a.Length, b.Length)).Select(i => Of(a, i) * Of(b, i))];
    }
}
