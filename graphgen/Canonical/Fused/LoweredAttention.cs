using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Fused;

/// <summary>What every fused attention computes, in plain operators: softmax(scale·q·kᵀ + mask)·v. Notation: B batch, S queries, T keys, H
/// query heads, N key/value heads, D head width.</summary>
internal sealed record LoweredAttention
{
    /// <summary>Queries [B, H, S, D].</summary>
    public required Expr Q { get; init; }

    /// <summary>Keys [B, N, T, D]; H is a multiple of N.</summary>
    public required Expr K { get; init; }

    /// <summary>Values [B, N, T, Dv].</summary>
    public required Expr V { get; init; }

    /// <summary>Factor of the scores; null or 0 = 1/√D.</summary>
    public float? Scale { get; init; }

    /// <summary>c of c·tanh(scores/c); 0 = none.</summary>
    public float Softcap { get; init; }

    /// <summary>What is added to the scores, each broadcast to [B, H, S, T].</summary>
    public IReadOnlyList<Expr> Added { get; init; } = [];

    /// <summary>Which keys each query sees, each broadcast to [B, H, S, T].</summary>
    public IReadOnlyList<Expr> Visible { get; init; } = [];

    /// <summary>Whether <see cref="Visible"/> leaves every query at least one key.</summary>
    public bool SeesSomeKey { get; init; }

    /// <summary>A score of each head, [H], that takes weight from the keys; null = none.</summary>
    public Expr? Sink { get; init; }

    private int Heads => Count(Q);

    private int Groups => Count(K);

    /// <summary>The result [B, H, S, Dv].</summary>
    public Expr Emit()
    {
        var width = Q.Shape[-1].Value ?? throw ModelErrors.UnknownSize(Q.Value, "width");
        var scores = Ungrouped(Grouped(Q).MatMul(K.T) * (Scale is null or 0 ? 1 / Math.Sqrt(width) : Scale.Value));
        if (Softcap > 0) scores = (scores / Softcap).Apply("Tanh") * Softcap;
        scores = Added.Aggregate(scores, (sum, mask) => sum + mask);
        if (Visible.Count > 0) scores = Masked(scores, Visible.Aggregate((a, b) => a.Apply("And", b)));
        var context = Grouped(Softmax(scores)).MatMul(V);
        return Heads == Groups ? context : context.Reshape(0, Heads, -1, V.Shape[-1].Value!.Value);
    }

    /// <summary>[B, S, H·D] → [B, H, S, D].</summary>
    public static Expr SplitHeads(Expr x, long heads) => x.Reshape(0, 0, heads, x.Shape[-1].Value!.Value / heads).MoveAxes(0, 2, 1, 3);

    /// <summary>[B, H, S, D] → [B, S, H·D].</summary>
    public static Expr MergeHeads(Expr x) => x.MoveAxes(0, 2, 1, 3).Reshape(0, 0, x.Shape[1].Value!.Value * x.Shape[-1].Value!.Value);

    /// <summary>The rotation of pairs (a, b) by an angle: [a∘cos − b∘sin, a∘sin + b∘cos, rest], written as [a, b]∘[cos, cos] + [b,
    /// a]∘[−sin, sin].</summary>
    /// <param name="x">[B, H, S, D].</param>
    /// <param name="cos">[.., S, n] for 2n turned features.</param>
    /// <param name="sin">[.., S, n].</param>
    /// <param name="interleaved">Whether a pair lies side by side; otherwise a and b are the halves of what is turned.</param>
    public static Expr Rotary(Expr x, Expr cos, Expr sin, bool interleaved)
    {
        var (width, half) = (x.Shape[-1].Value!.Value, cos.Shape[-1].Value!.Value);
        var rest = width == 2 * half ? (Expr?)null : x.Slice(-1, 2 * half, width);
        if (rest is not null) x = x.Slice(-1, 0, 2 * half);
        var (cosines, sines) = (Expr.Concat(-1, cos, cos), Expr.Concat(-1, -sin, sin));
        Expr partners;
        if (interleaved)
        {
            var features = Enumerable.Range(0, 2 * (int)half);
            long[] sides = [.. features.Select(i => (i / 2) + (i % 2 * half))];
            (cosines, sines) = (cosines.Take(sides, cosines.Rank - 1), sines.Take(sides, sines.Rank - 1));
            partners = x.Take([.. features.Select(i => i ^ 1L)], 3);
        }
        else
        {
            var halves = x.Tape.Write("Split", [x, x.Tape.Longs(half, half)], 2, ("axis", -1)).Outputs;
            partners = Expr.Concat(-1, x.Tape[halves[1]!], x.Tape[halves[0]!]);
        }
        var turned = (x * cosines) + (partners * sines);
        return rest is { } after ? Expr.Concat(-1, turned, after) : turned;
    }

    /// <summary>Key j is visible to query i when j ≤ i + <paramref name="past"/>; and, in a window of w, when j > i + past − w: [S,
    /// T].</summary>
    public static IReadOnlyList<Expr> Causal(Expr q, Expr k, Expr? past = null, long window = 0)
    {
        var (queries, keys) = (Positions(q), Positions(k));
        if (past is { } before) queries += before;
        queries = queries.Unsqueeze(1);
        var earlier = keys.Apply("LessOrEqual", queries);
        return window > 0 ? [earlier, keys.Apply("Greater", queries - queries.Tape.Scalar(window, ElementType.Int64))] : [earlier];
    }

    /// <summary>0, 1, … along the axis of positions of [B, H, S, D].</summary>
    public static Expr Positions(Expr x)
    {
        var tape = x.Tape;
        return tape.Op("Range", [tape.Constant(OnnxTensor.Scalar(0L)), Length(x), tape.Constant(OnnxTensor.Scalar(1L))]);
    }

    /// <summary>S of [B, H, S, D] as an int64 scalar.</summary>
    public static Expr Length(Expr x) => x.SizeOf(2).Squeeze(0);

    // The lowest number instead of −∞, as ONNX Runtime does: a row without keys stays finite. Where every row sees a key it is added, which
    // absorbs any score and leaves the backward pass nothing to mask: the weight of a hidden key, and so its gradient, is 0.
    private Expr Masked(Expr scores, Expr isVisible)
    {
        var (none, lowest) = (Q.Tape.Scalar(0, ElementType.Float), Q.Tape.Scalar(float.MinValue, ElementType.Float));
        return SeesSomeKey && Added.Count == 0 ? scores + none.Where(isVisible, lowest) : scores.Where(isVisible, lowest);
    }

    private static int Count(Expr x) => (int)x.Shape[1].Value!.Value;

    // Queries that share a key/value head are rows of one product: no head is ever repeated. [B, H, S, n] → [B, N, H/N·S, n]
    private Expr Grouped(Expr x) =>
        Heads == Groups ? x : x.Tape.Op("Reshape", [x, Expr.Concat(0, x.Tape.Longs(0, Groups, -1), x.SizeOf(3))]);

    private Expr Softmax(Expr scores)
    {
        if (Sink is not { } sink) return scores.Apply("Softmax", ("axis", -1));
        var last = sink.Reshape(1, Heads, 1, 1).ExpandLike(scores.Slice(-1, 0, 1));
        return Expr.Concat(-1, scores, last).Apply("Softmax", ("axis", -1)).Slice(-1, 0, -1);
    }

    // [B, N, H/N·S, T] → [B, H, S, T]
    private Expr Ungrouped(Expr scores)
    {
        if (Heads == Groups) return scores;
        var tape = scores.Tape;
        return tape.Op("Reshape", [scores, Expr.Concat(0, tape.Longs(0, Heads), Q.SizeOf(2), K.SizeOf(2))]);
    }
}
