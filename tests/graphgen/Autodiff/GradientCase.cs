using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

/// <summary>One row of the table of gradient tests: an operator on inputs.</summary>
internal sealed record GradientCase(string Op, params GradientInput?[] Inputs)
{
    /// <summary>What is special about the row.</summary>
    public string Note { get; init; } = string.Empty;

    public (string Name, OnnxAttribute Value)[] Attributes { get; init; } = [];

    public int Outputs { get; init; } = 1;

    public double Tolerance { get; init; } = 1e-4;

    /// <summary>Whether sizes may be known by name only when the gradient is derived.</summary>
    public bool Symbolic { get; init; } = true;

    public override string ToString() => $"{Op} {Note}";
}

/// <summary>An input of a row: drawn from a domain and differentiated (float), or a constant.</summary>
internal sealed record GradientInput(long[] Shape, Domain Domain, OnnxTensor? Constant = null)
{
    /// <summary>Normal numbers: for smooth operators.</summary>
    public static GradientInput Any(params long[] shape) => new(shape, Domain.Normal);

    /// <summary>Between ½ and 2.</summary>
    public static GradientInput Positive(params long[] shape) => new(shape, Domain.Positive);

    /// <summary>On a grid that keeps elements apart from each other, from those of other inputs, and from 0, ±1 and ±3.</summary>
    public static GradientInput Apart(params long[] shape) => new(shape, Domain.Apart);

    /// <summary>Between −0.8 and 0.8.</summary>
    public static GradientInput Small(params long[] shape) => new(shape, Domain.Small);

    /// <summary>Up to 1 above a number.</summary>
    public static GradientInput Above(float least, params long[] shape) => new(shape, Domain.Above) { Least = least };

    /// <summary>The least number of <see cref="Above"/>.</summary>
    public float Least { get; private init; }

    public static GradientInput Longs(params long[] values) => new([values.Length], Domain.Fixed, OnnxTensor.Vector<long>(values));

    public static GradientInput Long(long value) => new([], Domain.Fixed, OnnxTensor.Scalar(value));

    public static GradientInput Fixed<T>(long[] shape, params T[] values)
        where T : unmanaged => new(shape, Domain.Fixed, OnnxTensor.Of<T>(shape, values));

    public static GradientInput Number(float value) => new([], Domain.Fixed, OnnxTensor.Scalar(value));

    /// <summary>The elements for a row's input number <paramref name="index"/>.</summary>
    public float[] Draw(SeededRandom random, int index)
    {
        var count = (int)Shape.Aggregate(1L, (product, size) => product * size);
        var order = random.Permutation(count);
        return [.. Enumerable.Range(0, count).Select(i => (float)(Domain switch
        {
            Domain.Positive => 0.5 + (1.5 * random.NextUniform()),
            Domain.Small => 1.6 * (random.NextUniform() - 0.5),
            Domain.Above => Least + random.NextUniform(),
            Domain.Apart => (0.27 * (order[i] - (count / 2))) + 0.1 + (0.07 * index),
            _ => random.NextNormal(),
        }))];
    }
}

internal enum Domain
{
    Fixed,
    Normal,
    Positive,
    Small,
    Above,
    Apart,
}
