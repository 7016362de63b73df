using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>The last linear layer in front of a model's scores.</summary>
internal static class LastLinear
{
    /// <summary>The module that holds it; null where something else is in front of the scores, or its weight has no name.</summary>
    /// <param name="deployed">The model.</param>
    /// <param name="names">Names of its parameters.</param>
    public static string? Of(OnnxModel deployed, IReadOnlyList<ParameterName> names)
    {
        var outputs = deployed.Graph.Outputs.Where(output => output.Type.IsFloat() && output.Shape?.Rank >= 2).ToList();
        for (var value = outputs.Find(output => output.Name == "logits") ?? outputs.FirstOrDefault(); value?.Producer is { } node;)
        {
            if (ParameterRoles.AppliedBy(node).FirstOrDefault(use => use.Leaf == "weight") is { } applied)
                return node.Op is "Gather" ? null : ModuleOf(applied, names);
            value = Behind(node);
        }
        return null;
    }

    private static string? ModuleOf(AppliedParameter weight, IReadOnlyList<ParameterName> names) =>
        weight.Initializer.Constant is { Rank: 2 } stored && stored.Type.IsFloat()
            && names.FirstOrDefault(name => name.Initializer == weight.Initializer.Name) is { } found
            && ModuleScope.Parent(found.Name) is { Length: > 0 } module
            ? module
            : null;

    // What a node passes on: rows that it chooses or moves, or the same numbers with a bias.
    private static Value? Behind(Node node) => node.Op switch
    {
        "Gather" or "GatherND" or "GatherElements" or "Slice" => node.Input(0),
        "Add" when StoredPath.Of(node.Input(0)) is not null => node.Input(1),
        "Add" when StoredPath.Of(node.Input(1)) is not null => node.Input(0),
        _ => ViewOps.KeepsNumbers(node) ? node.Input(0) : null,
    };
}
