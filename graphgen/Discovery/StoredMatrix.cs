using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>A weight W [in, out] as it lies in a file: maybe transposed, maybe some output features of a wider matrix, maybe in fewer bits than float32.</summary>
/// <param name="Numbers">The stored matrix.</param>
/// <param name="Layout">How it is stored.</param>
/// <param name="Columns">The output features that belong to W, as ranges of the stored ones, in order.</param>
/// <param name="Factor">What the numbers of W are of the stored ones; null = the same.</param>
internal sealed record StoredMatrix(IStoredNumbers Numbers, Layout Layout, FeatureRanges Columns,
    WeightFactor? Factor = null)
{
    private const int Side = 64;

    public int In => (int)(Layout is Layout.OutIn ? Numbers.Columns : Numbers.Rows);

    public int Out => (int)Columns.Width;

    /// <summary>W [in, out], row-major.</summary>
    public float[] Read()
    {
        var stored = Numbers.Read();
        var weight = new float[(long)In * Out];
        Visit((at, i, j, factor) => weight[((long)i * Out) + j] = stored[at] * factor);
        return weight;
    }

    /// <summary>Single elements of W, for a sketch.</summary>
    public float ReadAt(int row, int column) => At(row, column, Numbers.ReadAt, factor => factor);

    /// <summary>The step between two codes at an element of W, 0 for floats.</summary>
    public float StepAt(int row, int column) => At(row, column, Numbers.StepAt, MathF.Abs);

    private float At(int row, int column, Func<long, long, float> read, Func<float, float> factorOf)
    {
        var feature = Features().ElementAt(column);
        var number = Layout is Layout.OutIn ? read(feature, row) : read(row, feature);
        return Factor is null ? number : number * factorOf(Factor.At(PositionOf(row, feature), row, feature));
    }

    /// <summary>Puts W [in, out] at its place among all stored numbers. What a factor of 0 hides stays as it is.</summary>
    public void Write(ReadOnlyMemory<float> weight, float[] stored) => Visit((at, i, j, factor) =>
    {
        if (factor != 0) stored[at] = weight.Span[(i * Out) + j] / factor;
    });

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

    private IEnumerable<int> Features() => Columns.Numbers.Select(number => (int)number);

    private long PositionOf(long input, long feature) => Layout is Layout.OutIn ? (feature * In) + input : (input * Numbers.Columns) + feature;

    // In small squares, so that the one order and the other stay within the cache, and on all cores.
    private void Visit(Action<long, int, int, float> element)
    {
        var features = Features().ToArray();
        Parallel.For(0, (In + Side - 1) / Side, down =>
        {
            var (top, bottom) = (down * Side, Math.Min(In, (down + 1) * Side));
            for (var left = 0; left < features.Length; left += Side)
            {
                for (var i = top; i < bottom; i++)
                {
                    for (var j = left; j < Math.Min(features.Length, left + Side); j++)
                    {
                        var at = PositionOf(i, features[j]);
                        element(at, i, j, Factor?.At(at, i, features[j]) ?? 1);
                    }
                }
            }
        });
    }
}
