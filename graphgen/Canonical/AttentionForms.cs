using LoRTA.Onnx.GraphGen.Ir;
using static LoRTA.Onnx.GraphGen.Canonical.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Finds attention at its softmax: backwards to the product of queries and keys, forwards to the product with the values.</summary>
/// <param name="Cores">In the order of execution.</param>
/// <param name="Findings">Softmaxes of which only one side looks like attention.</param>
internal sealed record AttentionForms(IReadOnlyList<AttentionCore> Cores, IReadOnlyList<Finding> Findings)
{
    private static readonly Pattern X = Hole("X");
    private static readonly Pattern Mask = Hole("mask");

    /// <summary>What may lie between the product of queries and keys and the softmax.</summary>
    private static readonly Pattern[] TowardsScores =
    [
        Op("Add", X, Mask),
        Op("Where", Mask, X, Any) | Op("Where", Mask, Any, X),
        Op("Mul", X, Scalar) | Op("Div", X, Scalar),
        Op("Max", X, Scalar) | Op("Min", X, Scalar) | Op("Clip", X),   // finite scores, however low the mask
        Op("Tanh", X),                                                  // soft cap: c·tanh(x/c)
        Op("Cast", X),
        Op("Reshape", X, Any),                                          // batch and heads merged and split again
    ];

    public static AttentionForms Find(Graph graph)
    {
        var (cores, findings) = (new List<AttentionCore>(), new List<Finding>());
        foreach (var whole in graph.Nodes.Where(node => node.OpType.EndsWith("Attention", StringComparison.Ordinal)))
            findings.Add(new Finding(whole.Label, $"{whole.Op} holds attention in a form that is not understood yet"));
        foreach (var softmax in graph.Nodes.Where(node => node.Is("Softmax")))
        {
            var scores = Scores(softmax.Input(0)!, null, 0).DistinctBy(found => found.Product).ToList();
            var contexts = Contexts(softmax.Output, 0).Distinct().ToList();
            if (scores is [var (product, mask)] && contexts is [var context])
                cores.Add(new AttentionCore { Softmax = softmax, Scores = product, Context = context, Mask = mask });
            else if (Reason(scores.Count, contexts.Count) is { } reason) findings.Add(new Finding(softmax.Label, reason));
        }
        return new AttentionForms(cores, findings);
    }

    private static string? Reason(int scores, int contexts) => (scores, contexts) switch
    {
        (0, 0) => null,   // a softmax over classes or experts
        (0, _) => "this Softmax weighs values, but its scores are no single product of queries and keys",
        (_, 0) => "the scores of this Softmax are a product, but its result weighs no values",
        ( > 1, _) => "the scores of this Softmax are a sum of several products (relative positions?)",
        _ => "the result of this Softmax goes into several products",
    };

    private static IEnumerable<(Node Product, Value? Mask)> Scores(Value value, Value? mask, int depth)
    {
        if (depth > 12 || value.Producer is not { } node) return [];
        if (IsProduct(node)) return [(node, mask)];
        return TowardsScores.SelectMany(step => step.Match(value, Bindings.None)).SelectMany(match => Scores(match["X"], mask ?? match.Find("mask"), depth + 1));
    }

    // The probabilities may be guarded (Where(IsNaN(p), 0, p) for rows without keys), cast and reshaped.
    private static IEnumerable<Node> Contexts(Value value, int depth) => value.Uses.SelectMany(use => (use.Node, use.Index) switch
    {
        _ when depth > 6 => [],
        (var node, 0) when IsProduct(node) => [node],
        ({ OpType: "Where" } node, > 0) => Contexts(node.Output, depth + 1),
        ({ OpType: "Cast" or "Reshape" } node, 0) => Contexts(node.Output, depth + 1),
        ({ OpType: "Mul" } node, _) => Contexts(node.Output, depth + 1),
        _ => Enumerable.Empty<Node>(),
    });

    /// <summary>A product of two activations.</summary>
    private static bool IsProduct(Node node) =>
        (node.Is("MatMul") || node.Is("FusedMatMul", "com.microsoft")) && node.Inputs is [{ IsConstant: false }, { IsConstant: false }] && node.Output.Shape is null or { Rank: >= 3 };
}
