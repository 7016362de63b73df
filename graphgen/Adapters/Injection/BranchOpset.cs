using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Brings nodes that were added to a deployed graph to the file's own opset: expressions are written at opset 21, and where an
/// operator changed until then, the file needs its older form.</summary>
internal static class BranchOpset
{
    private static readonly OlderForm[] Forms =
    [
        new("Shape", 15, (tape, node) => !IsPartOfShape(node) || Replace(tape, node, ShapeAndSlice(tape, node))),
        .. new[] { "ReduceSum", "Squeeze", "Unsqueeze" }
            .Select(op => new OlderForm(op, 13, (tape, node) => ToAttributes(tape, node, "axes"))),
        .. new[] { "ReduceMean", "ReduceMax", "ReduceMin" }
            .Select(op => new OlderForm(op, 18, (tape, node) => ToAttributes(tape, node, "axes"))),
        new("Slice", 10, (tape, node) => ToAttributes(tape, node, "starts", "ends", "axes")),
        new("Reshape", 14, (_, node) => node.Attributes.Remove("allowzero") || true),   // only differs for tensors without elements
        new("DequantizeLinear", 13, (_, node) => !node.Attributes.ContainsKey("axis")),
        .. Missing(8, "Expand", "Max"),
        .. Missing(9, "ConstantOfShape", "IsNaN", "NonZero", "Where"),
        .. Missing(10, "DequantizeLinear", "QuantizeLinear"),
        .. Missing(11, "Range", "ScatterElements"),
    ];

    /// <summary>Rewrites every node that is not the file's own.</summary>
    /// <param name="tape">Tape of the graph.</param>
    /// <param name="model">The model.</param>
    /// <param name="own">The file's own nodes.</param>
    /// <exception cref="LortaException">LRT332: an operator that the file's opset does not have.</exception>
    public static void Apply(Tape tape, OnnxModel model, IReadOnlySet<Node> own)
    {
        foreach (var form in Forms.Where(form => model.Opset < form.Before))
            foreach (var node in model.Graph.Nodes.Where(node => node.Op == form.Op && !own.Contains(node)).ToList())
                if (!form.Write(tape, node)) throw AdapterErrors.NoOlderForm(model.Path, model.Opset, node);
    }

    private static IEnumerable<OlderForm> Missing(long before, params string[] ops) =>
        ops.Select(op => new OlderForm(op, before, (_, _) => false));

    private static bool IsPartOfShape(Node node) => node.Attributes.ContainsKey("start") || node.Attributes.ContainsKey("end");

    private static Expr ShapeAndSlice(Tape tape, Node node)
    {
        var whole = tape[node.Operand(0)].Apply("Shape");
        return whole.Slice(0, node.Int("start", 0), node.Int("end", long.MaxValue));
    }

    // Inputs from the second one on, which were attributes: possible where their numbers are known.
    private static bool ToAttributes(Tape tape, Node node, params string[] names)
    {
        var given = names.Select((name, i) => (Name: name, Value: node.Input(i + 1))).Where(input => input.Value is not null).ToList();
        if (given.Count == 0) return true;   // all axes, or a node that was written in the older form
        if (node.Inputs.Count > names.Length + 1 || given.Exists(input => input.Value!.StoredTensor() is null)) return false;
        var older = node.On([node.Input(0)], [tape.Graph.AddValue(node.Output.Name, node.Output.Type, node.Output.Shape)]);
        older.Attributes.Remove("noop_with_empty_axes");
        foreach (var (name, value) in given) older.Attributes[name] = value!.StoredTensor()!.ToLongs();
        tape.Graph.InsertBefore(older, node);
        return Replace(tape, node, tape[older.Output]);
    }

    private static bool Replace(Tape tape, Node node, Expr other)
    {
        tape.Graph.ReplaceUses(node.Output, other.Value);
        tape.Graph.Remove(node);
        return true;
    }

    /// <summary>How an operator is written before the opset that changed it.</summary>
    /// <param name="Op">The operator.</param>
    /// <param name="Before">The first opset that has the form of opset 21.</param>
    /// <param name="Write">Writes the older form; false where there is none.</param>
    private sealed record OlderForm(string Op, long Before, Func<Tape, Node, bool> Write);
}
