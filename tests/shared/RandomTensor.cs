using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>Tensors of random numbers: each is a function of a name and a seed.</summary>
internal static class RandomTensor
{
    /// <summary>Numbers of the standard normal distribution.</summary>
    public static OnnxTensor Normal(string name, params long[] dims) => Normal(name, dims, deviation: 1);

    /// <summary>Normally distributed numbers around 0.</summary>
    public static OnnxTensor Normal(string name, IReadOnlyList<long> dims, double deviation, long seed = 0)
    {
        var random = new SeededRandom(seed, name);
        return Of(dims, () => random.NextNormal() * deviation);
    }

    /// <summary>Numbers that are spread evenly from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static OnnxTensor Between(double least, double most, string name, params long[] dims) =>
        Between(least, most, new SeededRandom(0, name), dims);

    /// <summary>The same, the next numbers of a sequence.</summary>
    public static OnnxTensor Between(double least, double most, SeededRandom random, IReadOnlyList<long> dims) =>
        Of(dims, () => least + ((most - least) * random.NextUniform()));

    /// <summary>Factors of an adapter, none of which is zero.</summary>
    public static Dictionary<string, OnnxTensor> Factors(AdapterPlan plan) =>
        plan.Factors.ToDictionary(factor => factor.Name, factor => Normal(factor.Name, factor.Dims, 1.0 / 3, seed: 1), StringComparer.Ordinal);

    private static OnnxTensor Of(IReadOnlyList<long> dims, Func<double> draw)
    {
        var numbers = new float[dims.Aggregate(1L, (size, dim) => size * dim)];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = (float)draw();
        return OnnxTensor.Of<float>([.. dims], numbers);
    }
}
