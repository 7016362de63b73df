using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>PyTorch's names of the stored parameters, read off the graph: from the module whose node applies a tensor, else from the
/// tensor's own name.</summary>
/// <remarks>The node goes first: exporters keep one tensor, under one name, for parameters that are tied or equal. An omitted bias (one of
/// zeros) has no tensor and is not listed. Names end in <c>.weight</c> or <c>.bias</c>; buffers and parameters with other names are not
/// listed.</remarks>
public static class ParameterNames
{
    /// <summary>All parameters that are stored with their own axes, in the order in which the graph applies them.</summary>
    public static IReadOnlyList<ParameterName> Of(OnnxModel deployed)
    {
        AppliedParameter[] applied = [.. AppliedIn(deployed).Where(use => use.Matrix is null)];
        var ties = TiedWeights.Among([.. applied.Where(use => use.Leaf == "weight")]);
        return [.. Of(applied).Select(name => name with { Also = ties.GetValueOrDefault(name.Initializer, []) })];
    }

    /// <summary>All parameters, also matrices that are stored with other axes, without the copies of each: no number is read.</summary>
    internal static IReadOnlyList<ParameterName> Untied(OnnxModel deployed) => Of(AppliedIn(deployed));

    private static AppliedParameter[] AppliedIn(OnnxModel deployed) => [.. deployed.Graph.Nodes.SelectMany(ParameterRoles.AppliedBy)];

    private static List<ParameterName> Of(IReadOnlyList<AppliedParameter> applied)
    {
        var names = new List<ParameterName>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (use, name, slice) in applied.SelectMany(use => Named(use, use.Modules)))
            if (taken.Add(name)) names.Add(Entry(use, name, slice));
        foreach (var use in applied)   // what no module claims goes by its own name
            if (use.OwnName is { } name && taken.Add(name)) names.Add(Entry(use, name, null));
        return names;
    }

    private static ParameterName Entry(AppliedParameter use, string name, (int, long, long)? slice) =>
        new(name, use.Initializer.Name, use.IsTransposed, slice, []) { Matrix = use.Matrix };

    private static IEnumerable<(AppliedParameter Use, string Name, (int Axis, long Start, long End)? Slice)> Named(
        AppliedParameter use, IReadOnlyList<(string Module, long Width)> modules)
    {
        if (modules is [var (module, _)]) yield return (use, $"{module}.{use.Leaf}", null);
        if (modules.Count < 2) yield break;
        var axis = use.IsTransposed ? use.Initializer.Rank - 1 : 0;
        var start = 0L;
        foreach (var (part, width) in modules)
        {
            yield return (use, $"{part}.{use.Leaf}", (axis, start, start + width));
            start += width;
        }
    }
}

/// <summary>One parameter of the model under the name that it has in PyTorch, and where its numbers lie.</summary>
/// <param name="Name">For instance <c>roberta.encoder.layer.0.attention.self.query.weight</c>.</param>
/// <param name="Initializer">Name of the stored tensor; several parameters may share one (tied, equal or packed weights).</param>
/// <param name="IsTransposed">Whether it is stored [in, out], where PyTorch has [out, in].</param>
/// <param name="Slice">The range of a packed tensor that this parameter is; null: all of it.</param>
/// <param name="Also">Further tensors that hold the same tied numbers (as they are or transposed) and must change along.</param>
public sealed record ParameterName(
    string Name, string Initializer, bool IsTransposed, (int Axis, long Start, long End)? Slice, IReadOnlyList<string> Also)
{
    /// <summary>How a linear layer's weight of this name lies.</summary>
    public Layout Layout => IsTransposed ? Layout.InOut : Layout.OutIn;

    /// <summary>Whether it has the numbers of another parameter: they are of one tensor, or of two that hold the same.</summary>
    public bool IsTiedTo(ParameterName other) =>
        (Initializer == other.Initializer || Also.Contains(other.Initializer))
        && (Slice is null || other.Slice is null || Slice == other.Slice);

    /// <inheritdoc cref="AppliedParameter.Matrix"/>
    public (long Rows, long Columns)? Matrix { get; init; }
}
