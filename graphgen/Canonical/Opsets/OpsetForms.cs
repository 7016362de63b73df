using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Opsets;

/// <summary>Operators of older and newer opsets (<see cref="OnnxOpsets"/>) in the spelling of opset 21. What has no such spelling is
/// refused by name.</summary>
internal static class OpsetForms
{
    private const string AxesInput = "axes as attribute";

    private static readonly string[] Flattening = ["Softmax", "LogSoftmax", "Hardmax"];

    public static readonly Form[] All =
    [
        new Refuse("subgraph", null, Subgraph),
        new Refuse("function of the model", null, Function),
        .. Older(13, AxesInput, ["Squeeze", "Unsqueeze", "ReduceSum"], (node, at) => ToInput(node, at, "axes", 1)),
        .. Older(18, AxesInput,
            ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
                "ReduceSumSquare"],
            (node, at) => ToInput(node, at, "axes", 1)),
        .. Older(13, "split lengths as attribute", ["Split"], (node, at) => ToInput(node, at, "split", 1)),
        .. Older(18, "equal parts without their number", ["Split"], CountParts),
        .. Flattening.Select(op => new Refuse("flattening softmax", op, FlattensSeveral)),
        .. Older(13, "flattening softmax", Flattening, OverLastAxis),
        .. Older(11, "bounds as attributes", ["Clip"], Clip),
        .. Older(10, "bounds as attributes", ["Slice"], Slice),
        .. Refused(11, "Pad", "Resize", "TopK", "Scatter"), .. Refused(21, "GroupNormalization"), .. Refused(10, "Upsample"),
        .. Refused(9, "BatchNormalization"),
        .. new[] { "TensorScatter", "CumProd", "BitCast" }
            .Select(op => new Refuse(
                "operator of a newer opset", op, (node, at) => NoEqual(at.Deployed.Opset > CanonicalModel.Opset, node, at))),
    ];

    private static bool Before(long opset, Rewriting rewriting) => rewriting.Deployed.Opset < opset;

    // Spellings up to an opset that the canonical one has dropped.
    private static IEnumerable<Form> Older(long before, string name, string[] ops, Func<Node, Rewriting, Outcome> change) =>
        ops.Select(op => new InPlace(
            name, op, (node, at) => Before(before, at) ? change(node, at) : "the file's opset spells it as opset 21 does"));

    private static IEnumerable<Form> Refused(long before, params string[] ops) =>
        ops.Select(op => new Refuse("operator of an older opset", op, (node, at) => NoEqual(Before(before, at), node, at)));

    private static LortaException? NoEqual(bool isRefused, Node node, Rewriting rewriting) => isRefused
        ? rewriting.Refusal(node, $"its form of opset {rewriting.Deployed.Opset} has no equal at opset {CanonicalModel.Opset} here")
        : null;

    // An If whose condition is known was replaced by its branch when the file was read.
    private static LortaException? Subgraph(Node node, Rewriting rewriting) => (node.Op, node.Input(0)) switch
    {
        ("If", { } condition) => CanonicalErrors.BranchNotKnown(rewriting.Deployed.Path, node, NameOf(condition)),
        ("If" or "Loop" or "Scan", _) => rewriting.Refusal(node, "graphs inside nodes are not trained"),
        _ => null,
    };

    // The input of the graph that the condition is made of, where there is one.
    private static string NameOf(Value condition)
    {
        var at = condition;
        while (at is { IsInput: false, Producer: { } node } && node.Input(0) is { } input) at = input;
        return at.IsInput ? at.Name : condition.Name;
    }

    private static LortaException? Function(Node node, Rewriting rewriting) =>
        rewriting.Deployed.Functions.TryGetValue(node.Op, out var reason)
            ? CanonicalErrors.FunctionNotInlined(rewriting.Deployed.Path, node, reason)
            : null;

    private static Outcome ToInput(Node node, Rewriting rewriting, string attribute, int index)
    {
        if (node.Ints(attribute) is not { } numbers) return $"it has no attribute '{attribute}'";
        node.Attributes.Remove(attribute);
        node.SetInput(index, rewriting.Longs(node, attribute, numbers));
        return Outcome.Done;
    }

    private static Outcome CountParts(Node node, Rewriting rewriting)
    {
        if (node.Input(1) is not null) return "it states the lengths of its parts";
        node.Attributes["num_outputs"] = node.Outputs.Count;
        return Outcome.Done;
    }

    // Before opset 13, Softmax worked on the tensor flattened behind `axis` (1 by default); over the last axis that is the same.
    private static LortaException? FlattensSeveral(Node node, Rewriting rewriting)
    {
        var axis = node.Int("axis", 1);
        return Before(13, rewriting) && axis != -1 && (node.Output.Shape is not { } shape || shape.Axis(axis) != shape.Rank - 1)
            ? rewriting.Refusal(node, $"before opset 13 it flattens its input from axis {axis} on")
            : null;
    }

    private static Outcome OverLastAxis(Node node, Rewriting rewriting)
    {
        node.Attributes["axis"] = -1;
        return Outcome.Done;
    }

    private static Outcome Clip(Node node, Rewriting rewriting)
    {
        foreach (var (name, index) in new[] { ("min", 1), ("max", 2) })
        {
            if (!node.Attributes.ContainsKey(name)) continue;
            var bound = OnnxTensor.Scalar(node.Float(name, 0));
            node.Attributes.Remove(name);
            node.SetInput(index, rewriting.Graph.AddConstant($"{node.Output.Name}/{name}", bound));
        }
        return Outcome.Done;
    }

    private static Outcome Slice(Node node, Rewriting rewriting)
    {
        foreach (var (name, index) in new[] { ("starts", 1), ("ends", 2), ("axes", 3) }) ToInput(node, rewriting, name, index);
        return Outcome.Done;
    }
}
