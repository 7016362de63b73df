using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Reductions over axes, and norms with the statistics that they give out.</summary>
internal static class ReductionInference
{
    public static readonly InferenceRule[] All =
    [
        .. InferenceRule.For(f => f.Set(0, f.Type(0), Reduced(f)),
            "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"),
        new("ReduceSum", f => f.Set(0, f.Type(0), Reduced(f), Folded(f, (a, b) => a + b))),
        new("ReduceProd", f => f.Set(0, f.Type(0), Reduced(f), Folded(f, (a, b) => a * b))),
        .. InferenceRule.For(f => Norm(f, f.Int("axis", -1), mean: 1, deviation: 2), "LayerNormalization"),
        .. InferenceRule.For(
            f => Norm(f, f.Int("axis", -1), mean: -1, deviation: 1),
            "SimplifiedLayerNormalization",
            OrtOps.SimplifiedLayerNormalization,
            "RMSNormalization"),
        .. InferenceRule.For(SkipNorm, OrtOps.SkipLayerNormalization, OrtOps.SkipSimplifiedLayerNormalization),
        new(OrtOps.EmbedLayerNormalization, EmbedNorm),
        new("NegativeLogLikelihoodLoss", f => f.Set(0, f.Type(0), Loss(f))),
        new("SoftmaxCrossEntropyLoss", f =>
        {
            f.Set(0, f.Type(0), Loss(f));
            f.Set(1, f.Type(0), f.Shape(0));
        }),
        new("BatchNormalization", f =>
        {
            f.Set(0, f.Type(0), f.Shape(0));
            for (var output = 1; output < f.Outputs; output++) f.Set(output, f.Type(3), f.Shape(3));
        }),
    ];

    private static Shape? Reduced(NodeFacts f)
    {
        if (f.Shape(0) is not { } x) return null;
        var keep = f.Int("keepdims", 1) == 1;
        if (f.Gives("axes", 1) && f.Longs("axes", 1) is null)
            return keep
                ? f.FreshShape(0, x.Rank)
                : f.Shape(1) is [var count] && count.Value is { } known
                    ? f.FreshShape(0, x.Rank - known)
                    : null;
        var axes = f.Longs("axes", 1) ?? [];
        if (axes.Length == 0 && f.Int("noop_with_empty_axes", 0) == 1) return x;
        var gone = axes.Length == 0 ? [.. Enumerable.Range(0, x.Rank)] : axes.Select(axis => f.Axis(axis, Math.Max(1, x.Rank))).ToHashSet();
        return keep ? [.. x.Select((dim, axis) => gone.Contains(axis) ? 1 : dim)] : [.. x.Where((_, axis) => !gone.Contains(axis))];
    }

    private static IReadOnlyList<Dim>? Folded(NodeFacts f, Func<Dim, Dim, Dim> operation) =>
        f.Shape(0)?.Rank == 1 && f.Content(0) is { Count: > 0 } content && f.Int("noop_with_empty_axes", 0) == 0
            ? [content.Aggregate(operation)]
            : null;

    // Statistics have size 1 on the normalised axes and are float, whatever the input is.
    private static void Norm(NodeFacts f, long axis, int mean, int deviation)
    {
        var statistics = f.Shape(0) is { } x ? Ones(x, f.Axis(axis, x.Rank)) : null;
        f.Set(0, f.Type(0), f.Shape(0));
        if (mean > 0) f.Set(mean, ElementType.Float, statistics);
        f.Set(deviation, ElementType.Float, statistics);
    }

    private static Shape? Loss(NodeFacts f) => f.Node.String("reduction", "mean") == "none" ? f.Shape(1) : [];

    private static Shape Ones(Shape x, int from) => [.. x.Select((dim, axis) => axis >= from ? 1 : dim)];

    private static void SkipNorm(NodeFacts f)
    {
        var statistics = f.Shape(0) is { } x ? Ones(x, x.Rank - 1) : null;
        f.Set(0, f.Type(0), f.Shape(0));
        f.Set(1, ElementType.Float, statistics);
        f.Set(2, ElementType.Float, statistics);
        f.Set(3, f.Type(0), f.Shape(0));
    }

    // ids, segments, word, position and segment tables, gamma, beta, mask → y, lengths, sum of the embeddings
    private static void EmbedNorm(NodeFacts f)
    {
        Shape? y = f.Shape(0, 2) is { } ids && f.Shape(2, 1) is { } words ? [.. ids, words[-1]] : null;
        f.Set(0, f.Type(2), y);
        f.Set(1, ElementType.Int32, f.Shape(0, 1) is { } x ? [x[0]] : null);
        f.Set(2, f.Type(2), y);
    }
}
