using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A tensor of an adapter: its name, shape, first values, and whether training changes it.</summary>
/// <param name="Name">Name in adapter files: <c>A</c>, or <c>layers.3.q.A</c> for a factor of one site.</param>
/// <param name="Dims">Dimensions.</param>
/// <param name="Init">First values.</param>
/// <param name="IsTrained">False for random bases that stay as they are.</param>
public sealed record Factor(string Name, IReadOnlyList<long> Dims, Init Init, bool IsTrained = true)
{
    /// <summary>What the optimizer's learning rate is multiplied by for it.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Standard deviation of the random values that gradients are checked at: 1 for vectors, 1/√n for n rows, unless a family
    /// states its own. Where many factors are multiplied or added up, these would be so large that attention is saturated and float32
    /// gradients are nothing but rounding.</summary>
    internal double GradcheckDeviation { get; init; } = Dims.Count == 1 ? 1 : 1 / Math.Sqrt(Math.Max(1, Dims[0]));

    /// <summary>Number of elements.</summary>
    public long Count => Dims.Size();

    /// <summary>Whether a name stands at the end of its own: <c>B</c> of <c>layers.3.q.B</c>.</summary>
    internal bool EndsWith(string name) => Name == name || Name.EndsWith($".{name}", StringComparison.Ordinal);

    /// <summary>The first values: a function of the seed and the name alone, so that one factor never moves another; or of a
    /// weight.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="weightOf">Reads the weight [in, out] of a site.</param>
    internal OnnxTensor Draw(long seed, Func<AdapterSite, OnnxTensor>? weightOf = null) =>
        OnnxTensor.Of<float>([.. Dims], Init.Values(new SeededRandom(seed, $"init/{Name}"), (int)Count, weightOf));
}

/// <summary>Where first values come from: a distribution, or the weight of a layer.</summary>
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

    /// <summary>‖W‖ of each output of a layer, [out].</summary>
    public static Init ColumnNorms(AdapterSite site) => new WeightInit(site, LinearPort.ColumnNorms);

    internal abstract float[] Values(SeededRandom random, int count, Func<AdapterSite, OnnxTensor>? weightOf);

    private abstract record DrawnInit : Init
    {
        internal sealed override float[] Values(SeededRandom random, int count, Func<AdapterSite, OnnxTensor>? weightOf)
        {
            var values = new float[count];
            for (var i = 0; i < count; i++) values[i] = (float)Next(random);
            return values;
        }

        protected abstract double Next(SeededRandom random);
    }

    private sealed record WeightInit(AdapterSite Site, Func<OnnxTensor, OnnxTensor> Compute) : Init
    {
        internal override float[] Values(SeededRandom random, int count, Func<AdapterSite, OnnxTensor>? weightOf) =>
            Compute((weightOf ?? throw new InvalidOperationException($"the weight of {Site.Address} is not known here"))(Site)).ToFloats();
    }

    private sealed record ConstantInit(double Value) : DrawnInit
    {
        protected override double Next(SeededRandom random) => Value;
    }

    private sealed record NormalInit(double Deviation) : DrawnInit
    {
        protected override double Next(SeededRandom random) => Deviation * random.NextNormal();
    }

    private sealed record UniformInit(double Bound) : DrawnInit
    {
        protected override double Next(SeededRandom random) => Bound * ((2 * random.NextUniform()) - 1);
    }
}
