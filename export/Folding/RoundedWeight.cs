using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>A folded matrix in the form that the file stores it in, and what that form cost.</summary>
/// <param name="original">The stored matrix as it was.</param>
/// <param name="edits">New numbers for parts of it.</param>
internal abstract class RoundedWeight(IStoredNumbers original, IReadOnlyList<WeightEdit> edits)
{
    /// <summary>How the numbers are stored, for reports: <c>float16</c>, <c>uint4, blocks of 32</c>.</summary>
    public abstract string Form { get; }

    /// <summary>Bits of a stored number.</summary>
    public abstract int Bits { get; }

    public bool IsMeasured { get; private set; }

    /// <summary>Whether the exact numbers are not those that the file stored before.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>Largest |stored − exact|.</summary>
    public double MaxAbs { get; private set; }

    /// <summary>The same, relative to the largest number.</summary>
    public double MaxRel { get; private set; }

    /// <summary>Makes the stored form and measures it.</summary>
    public abstract void Compute();

    /// <summary>The exact numbers.</summary>
    protected float[] Exact()
    {
        var before = original.Read();
        var exact = (float[])before.Clone();
        foreach (var edit in edits) edit.Matrix.Write(edit.Compute(), exact);
        IsChanged |= !exact.AsSpan().SequenceEqual(before);
        return exact;
    }

    /// <summary>Notes how far stored numbers are from the exact ones.</summary>
    /// <exception cref="GraphGen.Errors.LortaException">LRT703: a finite number that the stored type cannot hold.</exception>
    protected void Measure(float[] exact, float[] stored) => Note(Distance(exact, stored));

    /// <summary>Notes a distance that was measured before.</summary>
    protected void Note((double MaxAbs, double MaxRel) distance) => (IsMeasured, MaxAbs, MaxRel) = (true, distance.MaxAbs, distance.MaxRel);

    /// <summary>How far stored numbers are from the exact ones.</summary>
    /// <exception cref="GraphGen.Errors.LortaException">LRT703: a finite number that the stored type cannot hold.</exception>
    protected (double MaxAbs, double MaxRel) Distance(float[] exact, float[] stored)
    {
        var (difference, largest) = (0.0, 0.0);
        for (var i = 0; i < exact.Length; i++)
        {
            if (float.IsFinite(exact[i]) && !float.IsFinite(stored[i])) throw FoldingErrors.Overflow(edits[0].Address, exact[i], Form);
            difference = Math.Max(difference, Math.Abs((double)stored[i] - exact[i]));
            largest = Math.Max(largest, Math.Abs(exact[i]));
        }
        return (difference, difference / Math.Max(largest, double.Epsilon));
    }
}

/// <summary>A folded matrix of a float type; its bytes are made when they are written and not kept.</summary>
internal sealed class FloatWeight(FloatNumbers original, IReadOnlyList<WeightEdit> edits, ElementType type)
    : RoundedWeight(original, edits)
{
    public override string Form => type.Display();

    public override int Bits => type.Bits();

    /// <summary>The tensor to be stored.</summary>
    public Tensor Stored => Tensor.Streamed(type, [.. original.Stored.Dims], Round);

    public override void Compute() => Round();

    private Memory<byte> Round()
    {
        var exact = Exact();
        var bytes = StoredMatrix.Round(exact, type);
        Measure(exact, Tensor.FromBytes(type, [exact.Length], bytes).ToFloats());
        return bytes;
    }
}

/// <summary>A folded matrix of few bits, quantised again in the file's own blocks, when it is first asked for; each way of rounding is
/// kept, so that a choice between them costs nothing.</summary>
/// <param name="original">The stored matrix as it was.</param>
/// <param name="edits">New numbers for parts of it.</param>
/// <param name="choice">How it is rounded.</param>
internal sealed class QuantizedWeight(QuantizedMatrix original, IReadOnlyList<WeightEdit> edits, RoundingChoice choice)
    : RoundedWeight(original, edits)
{
    private readonly IReadOnlyList<WeightEdit> _edits = edits;
    private readonly Lock _making = new();
    private readonly List<Made> _made = [];

    public override string Form => original.Layout.Describe();

    public override int Bits => original.Layout.Bits;

    /// <summary>How many numbers it has.</summary>
    public long Numbers => original.Rows * original.Columns;

    /// <summary>The codes to be stored.</summary>
    public Tensor Codes => Tensor.Streamed(original.Codes.Type, [.. original.Codes.Dims], () => Chosen().Codes);

    /// <summary>The scales to be stored.</summary>
    public Tensor Scales => Tensor.Streamed(original.Scales.Type, [.. original.Scales.Dims], () => Chosen().Scales);

    public override void Compute() => Chosen();

    private Made Chosen()
    {
        lock (_making)
        {
            if (_made.FirstOrDefault(made => made.Moments == choice.Moments) is not { } chosen) _made.Add(chosen = Make());
            Note(chosen.Distance);
            return chosen;
        }
    }

    // The nearest codes come first in any case.
    private Made Make()
    {
        var exact = Exact();
        var rounded = original.Requantize(exact);
        if (choice.Moments is null) return Stored(null);
        if (_made.All(made => made.Moments is not null)) _made.Add(Stored(null));
        if (choice.Moments.GetValueOrDefault(_edits[0].Address) is { } moments)
            new CalibratedRounding(original, _edits[0].Matrix.Layout, moments).Improve(exact, rounded);
        return Stored(choice.Moments);

        Made Stored(IReadOnlyDictionary<string, SecondMoments>? by)
        {
            var (codes, scales) = original.Stored(rounded);
            return new Made(by, codes, scales, Distance(exact, original.Read(rounded)));
        }
    }

    private sealed record Made(IReadOnlyDictionary<string, SecondMoments>? Moments, Memory<byte> Codes, Memory<byte> Scales,
        (double MaxAbs, double MaxRel) Distance);
}
