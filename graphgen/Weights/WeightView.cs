using System.Numerics;
using System.Runtime.InteropServices;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>A weight W [in, out] as it lies in a file: maybe transposed, maybe some output features of a wider matrix, maybe in fewer bits
/// than float32.</summary>
/// <param name="Numbers">The stored matrix.</param>
/// <param name="Layout">How it is stored.</param>
/// <param name="Columns">The output features that belong to W, as ranges of the stored ones, in order.</param>
/// <param name="Factor">What the numbers of W are of the stored ones; null = the same.</param>
internal sealed record WeightView(IStoredNumbers Numbers, Layout Layout, FeatureRanges Columns,
    WeightFactor? Factor = null)
{
    private const int Inputs = 64, Outputs = 8;   // of a tile

    // From one input, and from one output feature, to the next.
    private readonly long _inputStep = Layout is Layout.OutIn ? 1 : Numbers.Columns;
    private readonly long _outputStep = Layout is Layout.OutIn ? Numbers.Columns : 1;

    public int In => (int)(Layout is Layout.OutIn ? Numbers.Columns : Numbers.Rows);

    public int Out => (int)Columns.Width;

    /// <summary>W [in, out], row-major.</summary>
    public float[] Read() => Read(Numbers.Read()).ToFloats();

    /// <summary>W [in, out] out of all stored numbers.</summary>
    public OnnxTensor Read(float[] stored)
    {
        var (features, width) = (Features(), Out);
        var bytes = GC.AllocateUninitializedArray<byte>(checked(In * width * sizeof(float)));
        ForTiles(features.Length, (inputs, outputs) =>
        {
            var weight = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
            for (var i = inputs.Start; i < inputs.End; i++)
            {
                for (var j = outputs.Start; j < outputs.End; j++)
                {
                    var at = PositionOf(i, features[j]);
                    weight[(i * width) + j] = Factor is null ? stored[at] : stored[at] * Factor.At(at, i, features[j]);
                }
            }
        });
        return OnnxTensor.FromBytes(ElementType.Float, [In, width], bytes);
    }

    /// <summary>Single elements of W, for a sketch.</summary>
    public float ReadAt(int row, int column) => At(row, column, Numbers.ReadAt, factor => factor);

    /// <summary>The step between two codes at an element of W, 0 for floats.</summary>
    public float StepAt(int row, int column) => At(row, column, Numbers.StepAt, MathF.Abs);

    private float At(int row, int column, Func<long, long, float> read, Func<float, float> factorOf)
    {
        var feature = (int)Columns.Numbers.ElementAt(column);
        var number = Layout is Layout.OutIn ? read(feature, row) : read(row, feature);
        return Factor is null ? number : number * factorOf(Factor.At(PositionOf(row, feature), row, feature));
    }

    /// <summary>Puts W [in, out] at its place among all stored numbers. What a factor of 0 hides stays as it is.</summary>
    /// <returns>Whether any number is another one now.</returns>
    public bool Write(OnnxTensor weight, float[] stored)
    {
        var features = Features();
        var width = Out;
        var isChanged = false;
        ForTiles(features.Length, (inputs, outputs) =>
        {
            var numbers = weight.Span<float>();
            var isOther = false;
            for (var i = inputs.Start; i < inputs.End; i++)
            {
                for (var j = outputs.Start; j < outputs.End; j++)
                {
                    var (at, number) = (PositionOf(i, features[j]), numbers[(i * width) + j]);
                    if (Factor is not null)
                    {
                        var factor = Factor.At(at, i, features[j]);
                        if (factor == 0) continue;
                        number /= factor;
                    }
                    isOther |= !number.Equals(stored[at]);
                    stored[at] = number;
                }
            }
            if (isOther) isChanged = true;
        });
        return isChanged;
    }

    /// <summary>Adds ΔW to the stored numbers. Asked only where these are those of W.</summary>
    /// <param name="delta">ΔW, laid out as they are.</param>
    /// <param name="stored">All stored numbers.</param>
    /// <returns>Whether any number is another one now.</returns>
    public bool Add(OnnxTensor delta, float[] stored)
    {
        var (rows, ranges) = Layout is Layout.OutIn
            ? (Features(), [(0L, (long)In)])
            : (Enumerable.Range(0, In).ToArray(), Columns);
        var width = (int)ranges.Width;
        var isChanged = false;
        Parallel.For(0, rows.Length, row =>
        {
            var change = delta.Span<float>().Slice(row * width, width);
            var at = 0;
            foreach (var (start, end) in ranges)
            {
                var part = stored.AsSpan((int)((rows[row] * Numbers.Columns) + start), (int)(end - start));
                if (Add(change.Slice(at, part.Length), part)) isChanged = true;
                at += part.Length;
            }
        });
        return isChanged;
    }

    private static bool Add(ReadOnlySpan<float> change, Span<float> numbers)
    {
        var (isOther, at) = (false, 0);
        for (; at + Vector<float>.Count <= numbers.Length; at += Vector<float>.Count)
        {
            var before = new Vector<float>(numbers[at..]);
            var after = before + new Vector<float>(change[at..]);
            isOther |= !Vector.EqualsAll(before, after);
            after.CopyTo(numbers[at..]);
        }
        for (; at < numbers.Length; at++)
        {
            var after = numbers[at] + change[at];
            isOther |= !after.Equals(numbers[at]);
            numbers[at] = after;
        }
        return isOther;
    }

    /// <summary>Numbers in the raw form of a type, rounded once to the nearest.</summary>
    public static Memory<byte> Round(float[] values, ElementType type) => type switch
    {
        ElementType.Float => MemoryMarshal.AsBytes<float>(values).ToArray(),
        ElementType.Double => MemoryMarshal.AsBytes<double>(Array.ConvertAll(values, value => (double)value)).ToArray(),
        ElementType.Float16 => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray(),
        ElementType.BFloat16 => MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, ToBFloat16)).ToArray(),
        _ => throw new ArgumentException($"no float type: {type.Display()}"),
    };

    // The upper half of a float, rounded to nearest even.
    private static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private int[] Features() => [.. Columns.Numbers.Select(number => (int)number)];

    private long PositionOf(long input, long feature) => (input * _inputStep) + (feature * _outputStep);

    // On all cores, in tiles of both orders that stay within the cache, also where rows are a power of two apart and share its sets.
    private void ForTiles(int outputs, Action<(int Start, int End), (int Start, int End)> visit) =>
        Parallel.For(0, (In + Inputs - 1) / Inputs, tile =>
        {
            var inputs = (tile * Inputs, Math.Min(In, (tile + 1) * Inputs));
            for (var left = 0; left < outputs; left += Outputs) visit(inputs, (left, Math.Min(outputs, left + Outputs)));
        });
}
