using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Equal vectors that an exporter stores once: parameters of several modules in one tensor, of which each may change alone.
/// (Matrices in one tensor are tied in PyTorch and change together.)</summary>
internal static class MergedParameters
{
    /// <summary>Whether the tensor of a parameter is that of others as well.</summary>
    public static bool IsMerged(IReadOnlyList<ParameterName> names, ParameterName name, OnnxTensor stored) =>
        stored.Rank <= 1 && name.Slice is null && names.Any(other => other.Name != name.Name && other.Initializer == name.Initializer);

    /// <summary>Whether a node of the deployed file applies a merged tensor as this parameter: it belongs to the parameter's
    /// module.</summary>
    public static bool IsAppliedBy(ParameterName name, Node deployed) =>
        ModuleScope.Of(deployed) is { } module && ModuleScope.PyTorch(module) == ModuleScope.Parent(name.Name);
}
