using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A tensor of an adapter: its name, shape, first values, and whether training changes it.</summary>
/// <param name="Name">Name in adapter files: <c>A</c>, or <c>layers.3.q.A</c> for a factor of one site.</param>
/// <param name="Dims">Dimensions.</param>
/// <param name="Init">First values.</param>
/// <param name="IsTrained">False for random bases that stay as they are.</param>
public sealed record Factor(string Name, IReadOnlyList<long> Dims, Init Init, bool IsTrained = true)
{
    /// <summary>Number of elements.</summary>
    public long Count => Dims.Size();

    /// <summary>The first values: a function of the seed and the name alone, so that one factor never moves another.</summary>
    internal OnnxTensor Draw(long seed)
    {
        var random = new SeededRandom(seed, $"init/{Name}");
        var values = new float[Count];
        for (var i = 0; i < values.Length; i++) values[i] = (float)Init.Next(random);
        return OnnxTensor.Of<float>([.. Dims], values);
    }
}

/// <summary>A distribution of first values.</summary>
public abstract record Init
{
    private Init()
    {
    }

    /// <summary>All zero.</summary>
    public static Init Zero { get; } = new ConstantInit(0);

    /// <summary>All equal.</summary>
    public static Init Constant(double value) => new ConstantInit(value);

    /// <summary>Normal around 0.</summary>
    /// <param name="deviation">Standard deviation.</param>
    public static Init Normal(double deviation) => new NormalInit(deviation);

    /// <summary>Uniform in (−bound, bound).</summary>
    /// <param name="bound">Half the width.</param>
    public static Init Uniform(double bound) => new UniformInit(bound);

    internal abstract double Next(SeededRandom random);

    private sealed record ConstantInit(double Value) : Init
    {
        internal override double Next(SeededRandom random) => Value;
    }

    private sealed record NormalInit(double Deviation) : Init
    {
        internal override double Next(SeededRandom random) => Deviation * random.NextNormal();
    }

    private sealed record UniformInit(double Bound) : Init
    {
        internal override double Next(SeededRandom random) => Bound * ((2 * random.NextUniform()) - 1);
    }
}
