using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>ONNX Runtime's fused attention comes down to products around a Softmax. What an operator can say beyond the forms here is refused by name.</summary>
internal static class FusedAttentionForms
{
    public static readonly Form[] All =
    [
        new("packed attention", OrtOps.Attention, (node, rewriting) => rewriting.Substitute(node, Packed)),
        new("packed attention of integers", OrtOps.QAttention, (node, rewriting) => rewriting.Substitute(node, Quantized)),
        new("multi-head attention", OrtOps.MultiHeadAttention, (node, rewriting) => rewriting.Substitute(node, MultiHead)),
        new("grouped-query attention", OrtOps.GroupQueryAttention, (node, rewriting) => rewriting.Substitute(node, Grouped)),
        new("rotary embedding", OrtOps.RotaryEmbedding, (node, rewriting) => rewriting.Substitute(node, Rotary)),
    ];

    /// <summary>Widths of Q, K and V in the weight of com.microsoft's Attention.</summary>
    /// <param name="node">The operator.</param>
    /// <param name="total">Width of all three.</param>
    public static long[] PackedWidths(Node node, long total) => node.Ints("qkv_hidden_sizes") ?? [total / 3, total / 3, total / 3];

    /// <summary>Q, K and V of a product that com.microsoft's Attention has inside.</summary>
    /// <param name="node">The operator.</param>
    /// <param name="packed">The product [B, S, Q|K|V].</param>
    /// <param name="total">Width of all three.</param>
    public static IEnumerable<Expr> PackedParts(Node node, Expr packed, long total)
    {
        var end = 0L;
        foreach (var width in PackedWidths(node, total)) yield return packed.Slice(-1, end, end += width);
    }

    // x [B, S, d] · weight [d, Q|K|V] + bias; past [2, B, H, P, D]
    private static Expr?[] Packed(Node node, Rewriting rewriting)
    {
        RefuseWhere(node, rewriting, ("past_sequence_length", node.Input(6) is not null));
        var tape = rewriting.Tape;
        return Packed(node, rewriting, tape[node.Input(0)!].MatMul(tape[node.Input(1)!]), (Mask: 3, Past: 4, Relative: 5));
    }

    // x [B, S, d] as integers · weight [d, Q|K|V] as integers, rescaled, + bias
    private static Expr?[] Quantized(Node node, Rewriting rewriting)
    {
        var product = QuantizedForms.Product(node, rewriting, scale: 4, zero: 7) ?? throw Refused(node, rewriting, "an input that is not rounded beside it, or a computed weight,");
        return Packed(node, rewriting, product, (Mask: 5, Past: 8, Relative: -1));
    }

    private static Expr?[] Packed(Node node, Rewriting rewriting, Expr packed, (int Mask, int Past, int Relative) inputs)
    {
        RefuseWhere(node, rewriting, ("do_rotary", node.Int("do_rotary", 0) != 0), ("past_present_share_buffer", node.Int("past_present_share_buffer", 0) != 0));
        var (tape, heads) = (rewriting.Tape, node.Int("num_heads", 1));
        if (node.Input(2) is { } bias) packed += tape[bias];
        var width = packed.Shape[-1].Value ?? throw Refused(node, rewriting, "a weight of unknown width");
        var parts = PackedParts(node, packed, width).Select(part => LoweredAttention.SplitHeads(part, heads)).ToArray();
        var (q, k, v) = (parts[0], parts[1], parts[2]);
        var past = node.Input(inputs.Past) is { } cache ? tape[cache] : (Expr?)null;
        if (past is { } before) (k, v) = (Expr.Concat(2, before.Row(0), k), Expr.Concat(2, before.Row(1), v));
        var added = Padding(node, inputs.Mask, k, rewriting).ToList();
        if (inputs.Relative >= 0 && node.Input(inputs.Relative) is { } relative) added.Add(tape[relative]);
        return
        [
            LoweredAttention.MergeHeads(new LoweredAttention { Q = q, K = k, V = v, Scale = node.Float("scale", 0), Added = added, Visible = Causal(node, q, k, past is { } cached ? LengthOfPast(cached) : null) }.Emit()),
            Expr.Concat(0, k.Unsqueeze(0), v.Unsqueeze(0)),
        ];

        static Expr LengthOfPast(Expr past) => past.SizeOf(3).Squeeze(0);
    }

    // query [B, S, H·D], key and value [B, T, H·D] or [B, H, T, D], bias [Q|K|V]; past_key, past_value [B, H, P, D]
    private static Expr?[] MultiHead(Node node, Rewriting rewriting)
    {
        RefuseWhere(node, rewriting, ("packed key and value", node.Input(1) is null || node.Input(2) is null), ("a buffer for the cache", node.Input(8) is not null || node.Input(9) is not null));
        var (tape, heads) = (rewriting.Tape, node.Int("num_heads", 1));
        var start = 0L;
        var (q, k, v) = (Part(0), Part(1), Part(2));
        var past = node.Input(6) is { } cache ? LoweredAttention.Length(tape[cache]) : (Expr?)null;
        if (past is not null) (k, v) = (Expr.Concat(2, tape[node.Input(6)!], k), Expr.Concat(2, tape[node.Input(7)!], v));
        var added = Padding(node, 4, k, rewriting).ToList();
        if (node.Input(5) is { } relative) added.Add(tape[relative]);
        return [LoweredAttention.MergeHeads(new LoweredAttention { Q = q, K = k, V = v, Scale = node.Float("scale", 0), Added = added, Visible = Causal(node, q, k, past) }.Emit()), k, v];

        Expr Part(int input)
        {
            var x = tape[node.Input(input)!];
            if (x.Rank is not (3 or 4) || x.Shape[-1].Value is not { } width) throw Refused(node, rewriting, "queries, keys and values packed into one");
            if (x.Rank == 4) return x;
            var end = start + width;
            if (node.Input(3) is { } bias) x += tape[rewriting.Part(bias, start, end)];
            start = end;
            return LoweredAttention.SplitHeads(x, heads);
        }
    }

    // query [B, S, H·D] with key and value [B, S, N·D], or all packed into query; the cache is empty in training: positions start at 0.
    private static Expr?[] Grouped(Node node, Rewriting rewriting)
    {
        RefuseWhere(
            node,
            rewriting,
            ("a quantised cache", node.Input(12) is not null || node.Input(13) is not null),
            ("qk_output", node.Int("qk_output", 0) != 0),
            ("a norm of queries and keys", node.Input(14) is not null || node.Input(15) is not null));
        var (tape, heads, groups) = (rewriting.Tape, node.Int("num_heads", 1), node.Int("kv_num_heads", 1));
        var query = tape[node.Input(0)!];
        var width = (query.Shape[-1].Value ?? throw Refused(node, rewriting, "heads of unknown width")) / (node.Input(1) is null ? heads + (2 * groups) : heads);
        var (q, k, v) = node.Input(1) is { } key
            ? (Split(query, heads), Split(tape[key], groups), Split(tape[node.Input(2)!], groups))
            : (Split(query.Slice(-1, 0, heads * width), heads), Split(query.Slice(-1, heads * width, (heads + groups) * width), groups), Split(query.Slice(-1, (heads + groups) * width, (heads + (2 * groups)) * width), groups));
        if (node.Int("do_rotary", 0) == 1)
        {
            var positions = node.Input(9) is { } given ? tape[given] : LoweredAttention.Positions(q);
            (q, k) = (Turned(q), Turned(k));

            Expr Turned(Expr x) => LoweredAttention.Rotary(x, Rows(7), Rows(8), node.Int("rotary_interleaved", 0) != 0);
            Expr Rows(int table) => tape.Op("Gather", [tape[node.Input(table)!], positions]) is var rows && rows.Rank == 3 ? rows.Unsqueeze(1) : rows;
        }

        // seqlens_k holds the last position of each row; keys behind it are padding.
        var isReal = LoweredAttention.Positions(k).Apply("LessOrEqual", tape[node.Input(5)!].Reshape(-1, 1, 1, 1).Cast(ElementType.Int64));
        var lowered = new LoweredAttention
        {
            Q = q,
            K = k,
            V = v,
            Scale = node.Float("scale", 0),
            Softcap = node.Float("softcap", 0),
            Sink = node.Input(11) is { } sink ? tape[sink] : node.Int("smooth_softmax", 0) == 1 ? tape.Constant(OnnxTensor.Of<float>([heads], new float[heads])) : null,
            Added = node.Input(10) is { } bias ? [tape[bias]] : [],
            Visible = [.. LoweredAttention.Causal(q, k, window: Math.Max(0, node.Int("local_window_size", -1))), isReal],
        };
        return [LoweredAttention.MergeHeads(lowered.Emit()), k, v];

        Expr Split(Expr x, long count) => LoweredAttention.SplitHeads(x, count);
    }

    // x [B, S, H·D] or [B, H, S, D]; positions [B, S], or [1]: where row 0 starts
    private static Expr?[] Rotary(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        var (x, cos) = (tape[node.Input(0)!], tape[node.Input(2)!]);
        if (x.Value.Shape is not { Rank: 3 or 4 } shape || shape[-1].Value is not { } width || cos.Shape[-1].Value is not { } half) throw Refused(node, rewriting, "an input of unknown width");
        var heads = node.Int("num_heads", 0) is > 0 and var given ? given : width / (2 * half);
        var split = shape.Rank == 4 ? x : LoweredAttention.SplitHeads(x, heads);
        var positions = tape[node.Input(1)!];
        if (positions.Rank == 1) positions = LoweredAttention.Positions(split) + positions;
        var turned = LoweredAttention.Rotary(split, Rows(2), Rows(3), node.Int("interleaved", 0) != 0).Scaled(node.Float("scale", 1));
        return [shape.Rank == 4 ? turned : LoweredAttention.MergeHeads(turned)];

        Expr Rows(int table) => tape.Op("Gather", [tape[node.Input(table)!], positions]) is var rows && rows.Rank == 3 ? rows.Unsqueeze(1) : rows;
    }

    private static IReadOnlyList<Expr> Causal(Node node, Expr q, Expr k, Expr? past) => node.Int("unidirectional", 0) == 1 ? LoweredAttention.Causal(q, k, past) : [];

    // A mask [B] holds lengths, [B, T] and [B, S, T] zeros and ones; masked keys get mask_filter_value.
    private static IEnumerable<Expr> Padding(Node node, int input, Expr k, Rewriting rewriting)
    {
        if (node.Input(input) is not { } given) yield break;
        var (tape, mask) = (rewriting.Tape, rewriting.Tape[given]);
        var hidden = mask.Value.Shape switch
        {
            { Rank: 1 } lengths when lengths[0] == node.Input(0)!.Shape?[0] || !(lengths[0].IsKnown || IsMultiple(lengths[0], node.Input(0)!.Shape?[0])) => LoweredAttention.Positions(k).Apply("GreaterOrEqual", mask.Cast(ElementType.Int64).Unsqueeze(1, 2, 3)),
            { Rank: 2 } => mask.Cast(ElementType.Int64).Unsqueeze(1, 2).Apply("Equal", tape.Scalar(0, ElementType.Int64)),
            { Rank: 3 } => mask.Cast(ElementType.Int64).Unsqueeze(1).Apply("Equal", tape.Scalar(0, ElementType.Int64)),
            _ => throw Refused(node, rewriting, $"a mask of shape {given.Shape}"),
        };
        yield return hidden.Cast(ElementType.Float) * node.Float("mask_filter_value", -10000);
    }

    // [2·B] holds ends and starts, [3·B + 2] sums of lengths.
    private static bool IsMultiple(Dim size, Dim? batch) => batch is { } rows && (Dim.Divide(size, rows) is not null || Dim.Divide(size - 2, rows) is not null);

    private static void RefuseWhere(Node node, Rewriting rewriting, params ReadOnlySpan<(string What, bool IsThere)> features)
    {
        foreach (var (what, isThere) in features)
            if (isThere) throw Refused(node, rewriting, what);
    }

    private static LortaException Refused(Node node, Rewriting rewriting, string what) =>
        DiscoveryErrors.OperatorNotSupported(rewriting.Deployed.Path, node, $"{what} is not lowered");
}
