using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>A folded tensor in its stored type, computed when it is written, and what the type cost.</summary>
internal sealed class RoundedWeight(Tensor original, IReadOnlyList<WeightEdit> edits, ElementType type)
{
    public ElementType Type => type;

    public bool IsMeasured { get; private set; }

    /// <summary>Largest |stored − exact|.</summary>
    public double MaxAbs { get; private set; }

    /// <summary>The same, relative to the largest number.</summary>
    public double MaxRel { get; private set; }

    public Memory<byte> Compute()
    {
        var exact = original.ToFloats();
        foreach (var edit in edits) edit.Matrix.Write(edit.Compute(), exact);
        var bytes = StoredMatrix.Round(exact, type);
        Measure(exact, bytes);
        return bytes;
    }

    private void Measure(float[] exact, Memory<byte> bytes)
    {
        var stored = Tensor.FromBytes(type, [exact.Length], bytes).ToFloats();
        var (difference, largest) = (0.0, 0.0);
        for (var i = 0; i < exact.Length; i++)
        {
            difference = Math.Max(difference, Math.Abs((double)stored[i] - exact[i]));
            largest = Math.Max(largest, Math.Abs(exact[i]));
        }
        (IsMeasured, MaxAbs, MaxRel) = (true, difference, difference / Math.Max(largest, double.Epsilon));
    }
}
