using System.Numerics;
using System.Numerics.Tensors;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>Rounds other numbers to the codes and scales of a low-bit matrix.</summary>
/// <param name="matrix">The matrix.</param>
internal sealed class Requantizer(QuantizedMatrix matrix)
{
    private const int Exact = 512;     // squares that are summed in float32
    private const int Together = 64;   // blocks that one thread takes at once

    private static readonly float[] Parts = [1, 0.95f, 0.9f, 0.85f, 0.8f];

    // The old scale and four that reach a largest number, in whole vectors.
    private static readonly int Candidates =
        (1 + (4 * Parts.Length) + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

    /// <summary>New codes and scales for other numbers. Blocks and zero points stay; a block whose numbers did not change keeps its codes;
    /// of its old scale and those that fit the new numbers the one with the smallest squared error is taken.</summary>
    /// <param name="values">Numbers [rows, columns].</param>
    /// <param name="rounded">Codes and scales as they are stored, which are changed.</param>
    public void Requantize(float[] values, RoundedNumbers rounded)
    {
        var (blocks, size) = (matrix.Blocks, matrix.Layout.BlockRows * matrix.Layout.BlockColumns);
        Parallel.For(0, (blocks + Together - 1) / Together, () => new float[size], (group, _, inside) =>
        {
            for (var index = group * Together; index < Math.Min(blocks, (group + 1) * Together); index++)
                Requantize(matrix.BlockOf(index), values, rounded, inside);
            return inside;
        }, _ => { });
    }

    private void Requantize(QuantizedMatrix.Block block, float[] values, RoundedNumbers rounded, float[] inside)
    {
        var (zero, old) = (matrix.ZeroAt(block.Index), rounded.Scales[block.Index]);
        var width = (int)(block.Right - block.Left);
        var count = 0;
        var isChanged = false;
        for (var row = block.Top; row < block.Bottom; row++, count += width)
        {
            var at = (int)((row * matrix.Columns) + block.Left);
            values.AsSpan(at, width).CopyTo(inside.AsSpan(count));
            for (var i = at; !isChanged && i < at + width; i++) isChanged = values[i] != (matrix.Signed(rounded.Codes[i]) - zero) * old;
        }
        if (!isChanged) return;
        var scale = rounded.Scales[block.Index] = BestScale(inside.AsSpan(0, count), zero, old);
        for (var row = block.Top; row < block.Bottom; row++)
        {
            var at = (int)((row * matrix.Columns) + block.Left);
            Encode(values.AsSpan(at, width), zero, scale, rounded.Codes.AsSpan(at, width));
        }
    }

    // Scales that just reach the largest number of either sign, and somewhat smaller ones: clipping a few far numbers rounds the many near
    // ones less. Codes −8 … 7 and the block 0.1, 0.2, −0.3, 1.5: the scale 1.5 / 7 = 0.214 reaches 1.5 and rounds 0.1 to 0,
    // 0.8 of it clips 1.5 to 1.2 and rounds 0.1 to 0.17; which of the two has the smaller sum of squares is measured, not assumed.
    private float BestScale(ReadOnlySpan<float> values, float zero, float old)
    {
        var (least, most) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        var (up, down) = (Math.Max(1, matrix.Highest - zero), Math.Min(-1, matrix.Lowest - zero));
        ReadOnlySpan<float> reaching = [most / up, least / down, most / down, least / up];
        Span<float> scales = stackalloc float[Candidates];
        Span<double> errors = stackalloc double[Candidates];
        scales.Fill(old);
        var count = 1;
        foreach (var reach in reaching)
        {
            foreach (var part in Parts)
            {
                var scale = matrix.StoredScale(reach * part);
                if (scale != 0 && float.IsFinite(scale)) scales[count++] = scale;
            }
        }
        SquaredErrors(values, zero, scales, errors);
        var best = 0;
        for (var i = 1; i < count; i++)
            if (errors[i] < errors[best]) best = i;
        return scales[best];
    }

    // (w′ − w)² summed over the values, for a scale in each lane.
    private void SquaredErrors(ReadOnlySpan<float> values, float zero, ReadOnlySpan<float> scales, Span<double> errors)
    {
        var part = new Vector<float>(zero - MathF.Floor(zero));
        var (lowest, highest) = (new Vector<float>(matrix.Lowest - zero), new Vector<float>(matrix.Highest - zero));
        errors.Clear();
        for (var first = 0; first < scales.Length; first += Vector<float>.Count)
        {
            var scale = new Vector<float>(scales[first..]);
            var inverse = Vector.ConditionalSelect(Vector.Equals(scale, Vector<float>.Zero), Vector<float>.Zero, Vector<float>.One / scale);
            for (var begin = 0; begin < values.Length; begin += Exact)
            {
                var squares = Vector<float>.Zero;
                foreach (var number in values.Slice(begin, Math.Min(Exact, values.Length - begin)))
                {
                    var value = new Vector<float>(number);
                    var steps = Vector.Round(Vector.FusedMultiplyAdd(value, inverse, part)) - part;
                    var difference = Vector.FusedMultiplyAdd(Vector.Min(Vector.Max(steps, lowest), highest), scale, -value);
                    squares = Vector.FusedMultiplyAdd(difference, difference, squares);
                }
                for (var lane = 0; lane < Vector<float>.Count; lane++) errors[first + lane] += squares[lane];
            }
        }
    }

    // The nearest codes, counted from a zero point that may lie between two of them.
    private void Encode(ReadOnlySpan<float> values, float zero, float scale, Span<byte> codes)
    {
        var below = MathF.Floor(zero);
        var mask = (1 << matrix.Layout.Bits) - 1;
        var at = 0;
        if (scale == 0)
        {
            codes.Fill((byte)((int)Math.Clamp(MathF.Round(zero), matrix.Lowest, matrix.Highest) & mask));
            return;
        }
        var count = Vector<float>.Count;
        for (; at + Vector<byte>.Count <= values.Length; at += Vector<byte>.Count)
        {
            var part = values.Slice(at, Vector<byte>.Count);
            var first = Vector.Narrow(Codes(part), Codes(part[count..]));
            var second = Vector.Narrow(Codes(part[(2 * count)..]), Codes(part[(3 * count)..]));
            (Vector.AsVectorByte(Vector.Narrow(first, second)) & new Vector<byte>((byte)mask)).CopyTo(codes[at..]);
        }
        for (; at < values.Length; at++)
        {
            var nearest = MathF.Round((values[at] / scale) + (zero - below)) + below;
            codes[at] = (byte)((int)Math.Clamp(nearest, matrix.Lowest, matrix.Highest) & mask);
        }

        Vector<int> Codes(ReadOnlySpan<float> numbers)
        {
            var steps = Vector.Round((new Vector<float>(numbers) / scale) + new Vector<float>(zero - below));
            var nearest = Vector.Max(steps + new Vector<float>(below), new Vector<float>(matrix.Lowest));
            return Vector.ConvertToInt32(Vector.Min(nearest, new Vector<float>(matrix.Highest)));
        }
    }
}
