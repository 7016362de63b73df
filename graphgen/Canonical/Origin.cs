using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Where a weight of the canonical graph lies in the deployed file.</summary>
/// <param name="Initializer">The initializer (or Constant node's output) that stores it.</param>
/// <param name="Through">Operators between the stored tensor and its use, in the order of the data.</param>
/// <param name="Transposed">Whether the canonical matrix is the stored one turned.</param>
public sealed record Origin(string Initializer, IReadOnlyList<string> Through, bool Transposed)
{
    /// <summary>Where a part of a stored vector starts in it.</summary>
    public long Start { get; init; }

    private static readonly string[] Views = ["Identity", "Cast", "Transpose", "DequantizeLinear"];

    /// <summary>Follows a value of the deployed graph back to the tensor that it is; null when it is computed from inputs, or from several tensors.</summary>
    internal static Origin? Of(Value deployed)
    {
        var (through, transposed, at) = (new List<string>(), false, deployed);
        for (; at.Producer is { } node && !node.Is("Constant"); at = node.Input(0)!)
        {
            if (node.Domain.Length > 0 || !Views.Contains(node.OpType)) return null;
            through.Insert(0, node.OpType);
            transposed ^= node.Is("Transpose");
        }
        return at.Producer is null && at.Constant is null ? null : new Origin(at.Name, through, transposed);
    }
}
