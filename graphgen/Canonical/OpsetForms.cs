using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Operators of older and newer opsets (<see cref="Opsets"/>) in the spelling of opset 21. What has no such spelling is refused by name.</summary>
internal static class OpsetForms
{
    private const string AxesInput = "axes as attribute";

    public static readonly Form[] All =
    [
        new("subgraph", null, RefuseSubgraphs),
        new("function of the model", null, RefuseFunctions),
        .. new[] { "Squeeze", "Unsqueeze", "ReduceSum" }.Select(op => new Form(AxesInput, op, (node, rewriting) => Before(13, rewriting) && ToInput(node, rewriting, "axes", 1))),
        .. new[] { "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare" }
            .Select(op => new Form(AxesInput, op, (node, rewriting) => Before(18, rewriting) && ToInput(node, rewriting, "axes", 1))),
        new("split lengths as attribute", "Split", Split),
        .. new[] { "Softmax", "LogSoftmax", "Hardmax" }.Select(op => new Form("flattening softmax", op, (node, rewriting) => Before(13, rewriting) && LastAxisOnly(node, rewriting))),
        new("bounds as attributes", "Clip", (node, rewriting) => Before(11, rewriting) && Clip(node, rewriting)),
        new("bounds as attributes", "Slice", (node, rewriting) => Before(10, rewriting) && Slice(node, rewriting)),
        .. Refused(11, "Pad", "Resize", "TopK", "Scatter").Concat(Refused(21, "GroupNormalization")).Concat(Refused(10, "Upsample")).Concat(Refused(9, "BatchNormalization")),
        .. new[] { "TensorScatter", "CumProd", "BitCast" }
            .Select(op => new Form("operator of a newer opset", op, (node, rewriting) => rewriting.Deployed.Opset > CanonicalModel.Opset && Refuse(node, rewriting))),
    ];

    private static bool Before(long opset, Rewriting rewriting) => rewriting.Deployed.Opset < opset;

    private static IEnumerable<Form> Refused(long before, params string[] ops) =>
        ops.Select(op => new Form("operator of an older opset", op, (node, rewriting) => Before(before, rewriting) && Refuse(node, rewriting)));

    private static bool Refuse(Node node, Rewriting rewriting) =>
        throw DiscoveryErrors.OperatorNotSupported(rewriting.Deployed.Path, node, $"its form of opset {rewriting.Deployed.Opset} has no equal at opset {CanonicalModel.Opset} here");

    // An If whose condition is known was replaced by its branch when the file was read.
    private static bool RefuseSubgraphs(Node node, Rewriting rewriting) => (node.Op, node.Input(0)) switch
    {
        ("If", { } condition) => throw DiscoveryErrors.BranchNotKnown(rewriting.Deployed.Path, node, NameOf(condition)),
        ("If" or "Loop" or "Scan", _) => throw DiscoveryErrors.OperatorNotSupported(rewriting.Deployed.Path, node, "graphs inside nodes are not trained"),
        _ => false,
    };

    // The input of the graph that the condition is made of, where there is one.
    private static string NameOf(Value condition)
    {
        var at = condition;
        while (at is { IsInput: false, Producer: { } node } && node.Input(0) is { } input) at = input;
        return at.IsInput ? at.Name : condition.Name;
    }

    private static bool RefuseFunctions(Node node, Rewriting rewriting) =>
        rewriting.Deployed.Functions.TryGetValue(node.Op, out var reason)
            ? throw DiscoveryErrors.FunctionNotInlined(rewriting.Deployed.Path, node, reason)
            : false;

    // The forms that follow still see the node.
    private static bool ToInput(Node node, Rewriting rewriting, string attribute, int index)
    {
        if (!node.Attributes.Remove(attribute, out var attr)) return false;
        node.SetInput(index, rewriting.Longs(node, attribute, (long[])attr.Value));
        return false;
    }

    // Equal parts need their number said from opset 18 on.
    private static bool Split(Node node, Rewriting rewriting)
    {
        if (Before(13, rewriting)) ToInput(node, rewriting, "split", 1);
        if (Before(18, rewriting) && node.Input(1) is null) node.Attributes["num_outputs"] = node.Outputs.Count;
        return false;
    }

    // Before opset 13, Softmax worked on the tensor flattened behind `axis` (1 by default); over the last axis that is the same.
    private static bool LastAxisOnly(Node node, Rewriting rewriting)
    {
        var axis = node.Int("axis", 1);
        if (axis != -1 && (node.Output.Shape is not { } shape || shape.Axis(axis) != shape.Rank - 1))
            throw DiscoveryErrors.OperatorNotSupported(rewriting.Deployed.Path, node, $"before opset 13 it flattens its input from axis {axis} on");
        node.Attributes["axis"] = -1;
        return false;
    }

    private static bool Clip(Node node, Rewriting rewriting)
    {
        foreach (var (name, index) in new[] { ("min", 1), ("max", 2) })
            if (node.Attributes.Remove(name, out var bound)) node.SetInput(index, rewriting.Graph.AddConstant($"{node.Output.Name}/{name}", OnnxTensor.Scalar((float)bound.Value)));
        return false;
    }

    private static bool Slice(Node node, Rewriting rewriting)
    {
        foreach (var (name, index) in new[] { ("starts", 1), ("ends", 2), ("axes", 3) }) ToInput(node, rewriting, name, index);
        return false;
    }
}
