using LoRTA.Onnx.GraphGen.Canonical.Fused;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;
using static LoRTA.Onnx.GraphGen.Patterns.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>Finds attention at its softmax: backwards to the product of queries and keys, forwards to the product with the
/// values.</summary>
/// <param name="Cores">In the order of execution.</param>
/// <param name="Findings">Softmaxes of which only one side looks like attention.</param>
internal sealed record AttentionForms(IReadOnlyList<AttentionCore> Cores, IReadOnlyList<Finding> Findings)
{
    private const int Deepest = 12;

    private static readonly Pattern X = Hole("X");
    private static readonly Pattern Mask = Hole("mask");

    private static readonly Pattern Sinks = Where("stored numbers, repeated", IsStored);

    /// <summary>What may lie between the product of queries and keys and the softmax.</summary>
    private static readonly (string Name, Pattern Pattern)[] TowardsScores =
    [
        ("mask or bias", Op("Add", X, Mask)),
        ("choice by a mask", Op("Where", Mask, X, Any) | Op("Where", Mask, Any, X)),
        ("scale", Op("Mul", X, Scalar) | Op("Div", X, Scalar)),
        ("limits", Op("Max", X, Scalar) | Op("Min", X, Scalar) | Op("Clip", X)),   // finite scores, however low the mask
        ("soft cap", Op("Tanh", X)),                                               // c·tanh(x/c)
        ("change of type", Op("Cast", X)),
        ("batch and heads merged and split again", Op("Reshape", X, Any)),
        ("attention sinks", Op("Concat", X, Sinks)),                               // a score that takes weight from the keys
        ("scores below zero", Op("Sub", X, Op("ReduceMax", X))),
    ];

    /// <summary>Reads the attention of a graph.</summary>
    /// <param name="graph">The graph, with shapes.</param>
    /// <param name="declined">Which forms were tried at a node that stayed, each with its reason for a "no".</param>
    public static AttentionForms Find(Graph graph, IReadOnlyDictionary<Node, IReadOnlyList<string>> declined)
    {
        var (cores, findings) = (new List<AttentionCore>(), new List<Finding>());
        foreach (var whole in graph.Nodes.Where(node => node.OpType.EndsWith("Attention", StringComparison.Ordinal)))
            findings.Add(Whole(whole));
        foreach (var softmax in graph.Nodes.Where(node => node.Op == "Softmax"))
        {
            // weights of something else than keys
            if (softmax.Int("axis", -1) is var axis
                && axis != -1
                && softmax.Output.Shape is { } weights
                && weights.Axis(axis) != weights.Rank - 1)
                continue;
            var scores = Scores(softmax.Operand(0), null, 0).DistinctBy(found => found.Product).ToList();
            var contexts = Contexts(softmax.Output, 0).DistinctBy(found => found.Product).ToList();
            if (scores is [var (product, mask, before)] && contexts is [var (context, after)])
                cores.Add(new AttentionCore
                {
                    Softmax = softmax,
                    Scores = product,
                    Context = context,
                    Mask = mask,
                    BeforeSoftmax = before,
                    AfterSoftmax = after,
                });
            else if (Reason(scores.Count, contexts.Count) is { } reason)
                findings.Add(new Finding(softmax.Label, reason)
                {
                    Explanation = scores.Count == 0
                        ? NoScores(softmax, declined)
                        : Several(softmax, scores.Count, contexts.Count),
                });
        }
        return new AttentionForms(cores, findings);
    }

    private static string? Reason(int scores, int contexts) => (scores, contexts) switch
    {
        (0, 0) => null,   // a softmax over classes or experts
        (0, _) => "this Softmax weighs values, but its scores are not a single product of queries and keys",
        (_, 0) => "the scores of this Softmax are a product, but its result weighs no values",
        ( > 1, _) => "the scores of this Softmax are a sum of several products (relative positions?)",
        _ => "the result of this Softmax goes into several products",
    };

    private static Finding Whole(Node node) => new(node.Label, $"{node.Op} holds attention in a form that is not understood yet")
    {
        Explanation = new Explanation
        {
            LookedFor = "attention in plain operators",
            Node = node.Label,
            Op = node.Op,
            Passed = [],
            Remedy = $"a form that lowers {node.Op} ({SourceFile.Of(typeof(FusedAttentionForms))})",
        },
    };

    // As far from the softmax towards queries and keys as the steps lead.
    private static Explanation NoScores(Node softmax, IReadOnlyDictionary<Node, IReadOnlyList<string>> declined)
    {
        var (at, passed) = (softmax.Operand(0), new List<string>());
        while (TowardsScores.Select(step => (step.Name, Match: step.Pattern.Match(at)))
            .FirstOrDefault(step => step.Match is not null) is ({ } name, { } match)
            && passed.Count < Deepest)
        {
            passed.Add(name);
            at = match["X"];
        }
        var op = at.Producer?.Op ?? "input";
        return new Explanation
        {
            LookedFor = "the product of queries and keys",
            Node = at.Producer?.Label ?? at.Name,
            Op = op,
            Passed = passed,
            Declined = at.Producer is { } stop ? declined.GetValueOrDefault(stop, []) : [],
            Closest = NearMiss.At(at, TowardsScores),
            Remedy =
                $"a step in {Place(nameof(TowardsScores))} for {op}, "
                    + $"or a form in {SourceFile.FolderOf(typeof(Form))} that makes it a MatMul",
        };
    }

    private static Explanation Several(Node softmax, int scores, int contexts) => new()
    {
        LookedFor = scores > 1 ? "one product of queries and keys" : "one product with the values",
        Node = softmax.Label,
        Op = softmax.Op,
        Passed = [],
        Remedy = scores > 1
            ? $"in {Place(nameof(Scores))}, which of the products holds the keys"
            : $"in {Place(nameof(Contexts))}, the way from the softmax to the product with the values ({contexts} found)",
    };

    private static string Place(string member) => SourceFile.Place(typeof(AttentionForms), member);

    private static IEnumerable<(Node Product, Value? Mask, IReadOnlyList<Node> Between)> Scores(Value value, Value? mask, int depth)
    {
        if (depth > Deepest || value.Producer is not { } node) return [];
        if (IsProduct(node)) return [(node, mask, [])];
        return from step in TowardsScores
               from match in step.Pattern.Match(value, Bindings.None)
               from found in Scores(match["X"], mask ?? match.Find("mask"), depth + 1)
               select (found.Product, found.Mask, (IReadOnlyList<Node>)[.. found.Between, node]);
    }

    // The probabilities may be guarded (Where(IsNaN(p), 0, p) for rows without keys), cast, reshaped and freed of sinks.
    private static IEnumerable<(Node Product, IReadOnlyList<Node> Between)> Contexts(Value value, int depth) =>
        value.Uses.SelectMany(use => (use.Node, use.Index) switch
        {
            _ when depth > Deepest => [],
            (var node, 0) when IsProduct(node) => [(node, [])],
            ({ Op: "Where" } node, > 0) => Behind(node, depth),
            ({ Op: "Cast" or "Reshape" or "Slice" } node, 0) => Behind(node, depth),
            ({ Op: "Mul" } node, _) => Behind(node, depth),
            _ => [],
        });

    private static IEnumerable<(Node Product, IReadOnlyList<Node> Between)> Behind(Node node, int depth) =>
        Contexts(node.Output, depth + 1).Select(found => (found.Product, (IReadOnlyList<Node>)[node, .. found.Between]));

    /// <summary>A product of two activations.</summary>
    private static bool IsProduct(Node node) =>
        (node.Op == "MatMul" || node.Op == OrtOps.FusedMatMul)
            && node.Inputs is [{ } a, { } b]
            && IsActivation(a)
            && IsActivation(b)
            && node.Output.Shape is null or { Rank: >= 3 };

    private static bool IsActivation(Value value) => !value.IsConstant && !LateDequantize.IsDequantized(value);

    private static bool IsStored(Value value) =>
        value.IsConstant
            || (value.Producer is { } node && (node.Op is "Expand" or "Tile" || ViewOps.KeepsNumbers(node)) && IsStored(node.Operand(0)));
}
