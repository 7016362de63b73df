using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Nodes whose output is their input: they go.</summary>
internal static class PassThroughForms
{
    public static readonly Form[] All =
    [
        new("identity", "Identity", Forward),
        new("cast to the same type", "Cast", (node, rewriting) => SameType(node) && Forward(node, rewriting)),
        new("cast to the same type", "CastLike", (node, rewriting) => SameType(node) && Forward(node, rewriting)),
        new("slice of everything", "Slice", (node, rewriting) => IsWhole(node) && Forward(node, rewriting)),
        new("dropout", "Dropout", DropDropout),
    ];

    private static bool SameType(Node node) => node.Input(0)!.Type != ElementType.Undefined && node.Input(0)!.Type == node.Output.Type;

    // Steps of −1 would turn the tensor around without changing its shape.
    private static bool IsWhole(Node node) =>
        node.Input(0)!.Shape is { } shape && shape.Equals(node.Output.Shape) && (node.Input(4) is not { } steps || (steps.IsConstant && steps.Constant!.ToLongs().All(step => step == 1)));

    private static bool DropDropout(Node node, Rewriting rewriting)
    {
        if (node.Outputs.Count > 1 && node.Outputs[1] is { } mask && (mask.Uses.Count > 0 || rewriting.Graph.IsOutput(mask)))
        {
            rewriting.Find(node, "this Dropout stays, because its mask is read");
            return false;
        }
        rewriting.Find(node, "Dropout of the file is left out of training (identity); dropout is the recipe's to ask for");
        return Forward(node, rewriting);
    }

    private static bool Forward(Node node, Rewriting rewriting)
    {
        var (input, graph) = (node.Input(0)!, rewriting.Graph);
        if (graph.IsOutput(node.Output) && (input.Producer is null || graph.IsOutput(input))) return false;   // an output needs a node of its own
        rewriting.Forward(node, input);
        return true;
    }
}
