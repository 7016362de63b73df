using System.Collections.Frozen;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Type and shape inference with symbolic dimensions.</summary>
/// <remarks>A flat table, operator → rule. Rules read attributes and inputs of every opset from 7 on (axes as attribute or as input, …). An
/// operator without a rule leaves its outputs as the file declares them.</remarks>
internal static class ShapeInference
{
    private static readonly FrozenDictionary<string, InferenceRule> Rules =
        new[]
        {
            ElementwiseInference.All, MovementInference.All, IndexingInference.All, ReductionInference.All,
            ProductInference.All, ConvolutionInference.All, CreationInference.All, QuantizationInference.All, AttentionInference.All,
        }
        .SelectMany(family => family).ToFrozenDictionary(rule => rule.Op, StringComparer.Ordinal);

    /// <summary>Whether there is a rule for an operator (<c>domain::Name</c> outside ONNX's own set).</summary>
    public static bool Knows(string op) => Rules.ContainsKey(op);

    /// <summary>Infers every value of a graph, in order.</summary>
    public static void Infer(Graph graph)
    {
        foreach (var node in graph.Nodes) Infer(node);
    }

    /// <summary>Infers the outputs of one node from its inputs: type, shape and, for small integer tensors, the elements.</summary>
    /// <remarks>What a file may have wrong is asked of <see cref="NodeFacts"/>, which names the node. Sizes are checked where they are
    /// multiplied; any other exception is a defect of the rule.</remarks>
    /// <exception cref="LortaException">LRT121: the inputs do not fit together.</exception>
    public static void Infer(Node node)
    {
        if (!Rules.TryGetValue(node.Op, out var rule)) return;
        try
        {
            rule.Infer(new NodeFacts(node));
        }
        catch (OverflowException)
        {
            throw ModelErrors.SizeOverflow(node);
        }
    }
}

/// <summary>How the outputs of an operator follow from its inputs.</summary>
/// <param name="Op">Operator, <c>domain::Name</c> outside ONNX's own set.</param>
/// <param name="Infer">Reads the inputs and sets the outputs.</param>
internal sealed record InferenceRule(string Op, Action<NodeFacts> Infer)
{
    /// <summary>One rule for several operators.</summary>
    public static IEnumerable<InferenceRule> For(Action<NodeFacts> infer, params IEnumerable<string> ops) =>
        ops.Select(op => new InferenceRule(op, infer));
}
