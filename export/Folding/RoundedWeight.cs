using System.Buffers;
using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Weights;

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

    /// <summary>Makes the exact numbers of those that the file stored before, in their place.</summary>
    /// <param name="stored">All stored numbers; the array may be longer.</param>
    protected float[] Exact(float[] stored)
    {
        foreach (var edit in edits) IsChanged |= edit.Apply(stored);
        return stored;
    }

    /// <summary>Notes how far stored numbers are from the exact ones.</summary>
    protected void Note((double MaxAbs, double MaxRel) distance)
    {
        IsMeasured = true;
        (MaxAbs, MaxRel) = distance;
    }

    /// <summary>How far stored numbers are from the exact ones.</summary>
    /// <exception cref="GraphGen.LortaException">LRT703: a finite number that the stored type cannot hold.</exception>
    protected (double MaxAbs, double MaxRel) Distance(float[] exact, ReadStored stored)
    {
        var width = (int)original.Columns;
        var gate = new Lock();
        var difference = 0f;
        var largest = 0f;
        Parallel.For(0, (int)original.Rows, () => (Row: new float[width], Difference: 0f, Largest: 0f), (row, _, found) =>
        {
            var wanted = exact.AsSpan(row * width, width);
            stored(row, found.Row);
            TensorPrimitives.Subtract<float>(found.Row, wanted, found.Row);
            return (found.Row, MathF.Max(found.Difference, MathF.Abs(TensorPrimitives.MaxMagnitude<float>(found.Row))),
                MathF.Max(found.Largest, MathF.Abs(TensorPrimitives.MaxMagnitude<float>(wanted))));
        }, found =>
        {
            lock (gate) (difference, largest) = (MathF.Max(difference, found.Difference), MathF.Max(largest, found.Largest));
        });
        if (!float.IsFinite(difference)) CheckRange(exact, stored);
        return (difference, difference / Math.Max(largest, double.Epsilon));
    }

    private void CheckRange(float[] exact, ReadStored stored)
    {
        var numbers = new float[original.Columns];
        for (var row = 0; row < original.Rows; row++)
        {
            stored(row, numbers);
            for (var i = 0; i < numbers.Length; i++)
                if (exact[(row * numbers.Length) + i] is var wanted && float.IsFinite(wanted) && !float.IsFinite(numbers[i]))
                    throw FoldingErrors.Overflow(edits[0].Address, wanted, Form);
        }
    }

    /// <summary>Reads one row of stored numbers.</summary>
    protected delegate void ReadStored(int row, Span<float> numbers);
}

/// <summary>A folded matrix of a float type; its bytes are made when they are written and not kept.</summary>
internal sealed class FloatWeight(FloatNumbers original, IReadOnlyList<WeightEdit> edits, ElementType type)
    : RoundedWeight(original, edits)
{
    public override string Form => type.Display();

    public override int Bits => type.Bits();

    /// <summary>The tensor to be stored.</summary>
    public OnnxTensor Stored => OnnxTensor.Streamed(type, [.. original.Stored.Dims], Round);

    public override void Compute() => Round();

    private Memory<byte> Round()
    {
        var exact = Exact(original.Read());
        var bytes = WeightView.Round(exact, type);
        var stored = OnnxTensor.FromBytes(type, [exact.Length], bytes).ToFloats();
        Note(Distance(exact, (row, numbers) => stored.AsSpan(row * numbers.Length, numbers.Length).CopyTo(numbers)));
        return bytes;
    }
}

/// <summary>A folded low-bit matrix, quantised again in the file's own blocks, when it is first asked for; each way of rounding is
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

    /// <summary>The codes to be stored.</summary>
    public OnnxTensor Codes => OnnxTensor.Streamed(original.Codes.Type, [.. original.Codes.Dims], () => Chosen().Codes);

    /// <summary>The scales to be stored.</summary>
    public OnnxTensor Scales => OnnxTensor.Streamed(original.Scales.Type, [.. original.Scales.Dims], () => Chosen().Scales);

    public override void Compute() => Chosen();

    private Made Chosen()
    {
        lock (_making)
        {
            if (_made.FirstOrDefault(made => made.Moments == choice.Moments) is not { } chosen) _made.Add(chosen = Make());
            if (choice.IsFinal) _made.RemoveAll(made => made != chosen);
            Note(chosen.Distance);
            return chosen;
        }
    }

    private Made Make()
    {
        var rounded = original.Unpacked();
        var numbers = ArrayPool<float>.Shared.Rent(checked((int)(original.Rows * original.Columns)));
        try
        {
            original.Read(rounded, numbers);
            return Make(Exact(numbers), rounded);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(numbers);
        }
    }

    // The nearest codes come first in any case.
    private Made Make(float[] exact, RoundedNumbers rounded)
    {
        new Requantizer(original).Requantize(exact, rounded);
        if (choice.Moments is null) return Stored(null);
        if (_made.All(made => made.Moments is not null)) _made.Add(Stored(null));
        if (choice.Moments.GetValueOrDefault(_edits[0].Address) is { } moments)
            new CalibratedRounding(original, _edits[0].Matrix.Layout, moments).Improve(exact, rounded);
        return Stored(choice.Moments);

        Made Stored(IReadOnlyDictionary<string, SecondMoments>? by)
        {
            var (codes, scales) = original.Stored(rounded);
            return new Made(by, codes, scales, Distance(exact, (row, numbers) => original.ReadRow(rounded, row, numbers)));
        }
    }

    private sealed record Made(IReadOnlyDictionary<string, SecondMoments>? Moments, Memory<byte> Codes, Memory<byte> Scales,
        (double MaxAbs, double MaxRel) Distance);
}
