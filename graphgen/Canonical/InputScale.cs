using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>A scale of input features in front of one product of the deployed file: (x∘s)·W. It is W's where x goes to others without it,
/// or is no quotient that a norm would scale.</summary>
internal static class InputScale
{
    /// <summary>x without the scale; null where there is none that belongs to the weight.</summary>
    public static Value? Of(Node product)
    {
        if (product.Input(0)?.Producer is not { Op: "Mul" } scale || scale.Output.Uses.Count != 1) return null;
        var paths = new[] { StoredPath.Of(scale.Input(0)), StoredPath.Of(scale.Input(1)) };
        if ((paths[0] is null) == (paths[1] is null)) return null;
        var side = paths[0] is null ? 1 : 0;
        var (x, numbers) = (scale.Operand(1 - side), paths[side]!);
        if (numbers.Axes?.Dims is not { } dims || (numbers.Tensor.Count > 1 && dims[^1] != numbers.Tensor.Count)) return null;
        if (StoredPath.Of(product.Input(1)) is not { IsExact: true } weight || !weight.Tensor.Type.IsFloat()) return null;
        var isShared = x.Uses.Count(use => use.Node.Op != "Shape") > 1;
        var isOfNorm = x.Producer is null or { Op: "Div" or "Mul" or "Cast" };
        return isShared || !isOfNorm ? x : null;
    }
}
