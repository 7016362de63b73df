using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Equal vectors that an exporter stores once: parameters of several modules in one tensor, of which each may change alone.
/// (Matrices in one tensor are tied in PyTorch and change together.)</summary>
internal static class MergedParameters
{
    /// <summary>Whether the tensor of a parameter is that of others as well, which it is not tied to.</summary>
    /// <param name="names">The model's parameters.</param>
    /// <param name="name">The parameter.</param>
    /// <param name="stored">Its tensor.</param>
    /// <param name="readers">The nodes of the deployed file that read the tensor.</param>
    public static bool IsMerged(
        IReadOnlyList<ParameterName> names, ParameterName name, OnnxTensor stored, IReadOnlyList<Node> readers) =>
        stored.Rank <= 1 && name.Slice is null
        && names.Any(other => other.Name != name.Name && other.Initializer == name.Initializer && !AreTied(name, other, readers));

    /// <summary>Whether two names of one vector are one parameter: a single module applies it (<c>lm_head.bias</c> is the bias of
    /// <c>lm_head.decoder</c>).</summary>
    public static bool AreTied(ParameterName first, ParameterName second, IReadOnlyList<Node> readers)
    {
        return readers.Count > 0 && (IsOnlyFor(first) || IsOnlyFor(second));

        bool IsOnlyFor(ParameterName name) => readers.All(node => IsAppliedBy(name, node));
    }

    /// <summary>Whether a node of the deployed file applies a merged tensor as this parameter: it belongs to the parameter's module, by
    /// its own name or, where fusion took that, by those of its other inputs.</summary>
    public static bool IsAppliedBy(ParameterName name, Node deployed) =>
        (ModuleScope.Of(deployed) is { } module && ModuleScope.PyTorch(module) == ModuleScope.Parent(name.Name))
        || ParameterRoles.AppliedBy(deployed).Any(
            use => use.Initializer.Name == name.Initializer && use.Modules is [var (only, _)] && $"{only}.{use.Leaf}" == name.Name);
}
