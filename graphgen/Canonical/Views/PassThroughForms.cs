using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Canonical.Views;

/// <summary>Nodes whose output is their input: they go.</summary>
internal static class PassThroughForms
{
    public static readonly Form[] All =
    [
        new Replace("identity", "Identity", Forward),
        new Replace("cast to the same type", "Cast", SameType),
        new Replace("cast to the same type", "CastLike", SameType),
        new Replace("slice of everything", "Slice", Whole),
        new Replace("part of what was joined", "Slice", PartOfJoined),
        new Replace("join with nothing", "Concat", DropEmptyParts),
        new Replace("dropout", "Dropout", DropDropout),
    ];

    private static Outcome SameType(Node node, Rewriting rewriting) =>
        node.Operand(0).Type != ElementType.Undefined && node.Operand(0).Type == node.Output.Type
            ? Forward(node, rewriting)
            : "it changes the type";

    // Steps of −1 would turn the tensor around without changing its shape.
    private static Outcome Whole(Node node, Rewriting rewriting) =>
        node.Operand(0).Shape is { } shape && shape.Equals(node.Output.Shape)
        && (node.Input(4) is not { } steps || (steps.IsConstant && steps.Constant!.ToLongs().All(step => step == 1)))
            ? Forward(node, rewriting)
            : "it leaves elements out, or may do so";

    // [a, b, c] cut into a, b and c again: packed projections with a branch beside each part.
    private static Outcome PartOfJoined(Node node, Rewriting rewriting)
    {
        var facts = new NodeFacts(node);
        if (node.Operand(0).Producer is not { Op: "Concat" } joined || node.Operand(0).Shape is not { } shape
            || rewriting.Graph.IsOutput(node.Output))
            return "it cuts nothing that was joined before";
        if (facts.Longs(1) is not [var start] || facts.Longs(2) is not [var end] || facts.Longs(3) is not [var axis]
            || facts.Longs(4) is not (null or [1]))
            return "where it cuts is not known, or along several axes";
        var sizes = joined.Inputs.Select(part => part!.Shape?[shape.Axis(axis)].Value).ToList();
        if (shape.Axis(axis) != shape.Axis(joined.Int("axis", 0)) || sizes.Contains(null))
            return "it cuts along another axis than the parts are joined along, or their sizes are not known";
        var total = sizes.Sum()!.Value;
        var (from, to) = (start.FromFront(total), Math.Min(end.FromFront(total), total));
        for (var (i, at) = (0, 0L); i < sizes.Count; at += sizes[i++]!.Value)
        {
            if ((at, at + sizes[i]) != (from, to)) continue;
            rewriting.Forward(node, joined.Inputs[i]!);
            return Outcome.Done;
        }
        return "it cuts through a part of what was joined";
    }

    // Rotary embeddings that are partial in the code and whole in the configuration join an empty rest. A cache of no length stays: it is
    // fed.
    private static Outcome DropEmptyParts(Node node, Rewriting rewriting)
    {
        if (node.Output.Shape is not { Rank: > 0 } shape || shape.Axis(node.Int("axis", 0)) is not (>= 0 and var axis)
            || axis >= shape.Rank)
            return "the axis that it joins along is not known";
        var parts = node.Inputs.Where(part => part is not { Producer: not null } || part.Shape?[axis].Is(0) != true).ToList();
        if (parts.Count == node.Inputs.Count || parts.Count == 0) return "none of its parts is empty";
        if (parts is [{ } single] && !rewriting.Graph.IsOutput(node.Output))
        {
            rewriting.Forward(node, single);
            return Outcome.Done;
        }
        rewriting.Replace(node, "Concat", parts, ("axis", node.Int("axis", 0)));
        return Outcome.Done;
    }

    private static Outcome DropDropout(Node node, Rewriting rewriting)
    {
        if (node.Outputs.Count > 1 && node.Outputs[1] is { } mask && (mask.Uses.Count > 0 || rewriting.Graph.IsOutput(mask)))
        {
            rewriting.Find(node, "this Dropout stays, because its mask is read");
            return "its mask is read";
        }
        rewriting.Find(node, "Dropout in the file is ignored in training (identity); the recipe has its own, adapter.dropout");
        return Forward(node, rewriting);
    }

    private static Outcome Forward(Node node, Rewriting rewriting)
    {
        var (input, graph) = (node.Operand(0), rewriting.Graph);
        if (graph.IsOutput(node.Output) && (input.Producer is null || graph.IsOutput(input)))
            return "it is an output of the graph that needs a node of its own";   // an output needs a node of its own
        rewriting.Forward(node, input);
        return Outcome.Done;
    }
}
