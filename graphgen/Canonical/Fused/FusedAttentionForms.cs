using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Canonical.Fused;

/// <summary>ONNX Runtime's fused attention comes down to products around a Softmax. What an operator can say beyond the forms here is
/// refused by name.</summary>
internal static class FusedAttentionForms
{
    public static readonly Form[] All =
    [
        .. Lowered("packed attention", OrtOps.Attention, WhyNotPacked, Packed),
        .. Lowered("packed attention of integers", OrtOps.QAttention, WhyNotQuantized, Quantized),
        .. Lowered("multi-head attention", OrtOps.MultiHeadAttention, WhyNotMultiHead, MultiHead),
        .. Lowered("grouped-query attention", OrtOps.GroupQueryAttention, WhyNotGrouped, Grouped),
        .. Lowered("rotary embedding", OrtOps.RotaryEmbedding, WhyNotRotary, Rotary),
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

    private static IEnumerable<Form> Lowered(
        string name, string op, Func<Node, string?> whyNot, Func<Node, Rewriting, IReadOnlyList<Expr?>> expressions) =>
        Form.Lowered(name, op, node => whyNot(node) is { } what ? $"{what} is not lowered" : null, expressions);

    private static string? WhyNotPacked(Node node) =>
        node.Input(6) is not null ? "past_sequence_length" : WhyNotPacked(node, mask: 3);

    private static string? WhyNotQuantized(Node node) =>
        QuantizedForms.IsProduct(node, scale: 4, zero: 7)
            ? WhyNotPacked(node, mask: 5)
            : "an input that is not rounded as well, or a computed weight,";

    private static string? WhyNotPacked(Node node, int mask) => node switch
    {
        _ when node.Int("do_rotary", 0) != 0 => "do_rotary",
        _ when node.Int("past_present_share_buffer", 0) != 0 => "past_present_share_buffer",
        _ when node.Input(1)?.Shape is not { Rank: 2 } weight || !weight[-1].IsKnown => "a weight of unknown width",
        _ when PackedWidths(node, 0).Length != 3 => "another number of widths than three",
        _ => WhyNotHeads(node, "num_heads") ?? WhyNotMask(node, mask),
    };

    private static string? WhyNotMultiHead(Node node) => node switch
    {
        _ when node.Input(1) is null || node.Input(2) is null => "packed key and value",
        _ when node.Input(8) is not null || node.Input(9) is not null => "a buffer for the cache",
        _ when node.Inputs.Take(3).Any(input => input!.Shape is not { Rank: 3 or 4 } shape || !shape[-1].IsKnown
            || (shape.Rank == 4 && !shape[1].IsKnown)) => "queries, keys and values packed into one",
        _ when (node.Input(6) is null) != (node.Input(7) is null) => "a cache of keys or values alone",
        _ => WhyNotHeads(node, "num_heads") ?? WhyNotMask(node, 4),
    };

    private static string? WhyNotGrouped(Node node) => node switch
    {
        _ when node.Input(12) is not null || node.Input(13) is not null => "a quantised cache",
        _ when node.Int("qk_output", 0) != 0 => "qk_output",
        _ when node.Input(14) is not null || node.Input(15) is not null => "a norm of queries and keys",
        _ when node.Operand(0).Shape is not { Rank: 3 } shape || !shape[-1].IsKnown => "heads of unknown width",
        _ when (node.Input(1) is null) != (node.Input(2) is null) => "a key without a value, or a value without a key,",
        _ when node.Input(5) is null => "a call without the lengths of its rows",
        _ when node.Int("do_rotary", 0) == 1 && !HasAngles(node, 7) => "do_rotary without tables of known width",
        _ => WhyNotHeads(node, "num_heads") ?? WhyNotHeads(node, "kv_num_heads"),
    };

    private static string? WhyNotRotary(Node node) =>
        node.Operand(0).Shape is { Rank: 3 or 4 } shape && shape[-1].IsKnown && (shape.Rank == 3 || shape[1].IsKnown) && HasAngles(node, 2)
            ? null
            : "an input of unknown width";

    private static bool HasAngles(Node node, int first) =>
        new[] { first, first + 1 }.All(table => node.Input(table)?.Shape is { Rank: > 0 } shape && shape[-1].Value > 0);

    private static string? WhyNotHeads(Node node, string attribute) => node.Int(attribute, 1) < 1 ? $"'{attribute}' below 1" : null;

    private static string? WhyNotMask(Node node, int input) => node.Input(input) switch
    {
        null or { Shape.Rank: 2 or 3 } => null,
        { Shape: { Rank: 1 } lengths } when AreLengths(lengths[0], node.Operand(0).Shape?[0]) => null,
        var mask => $"a mask of shape {mask.Shape}",
    };

    // x [B, S, d] · weight [d, Q|K|V] + bias; past [2, B, H, P, D]
    private static Expr?[] Packed(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        return Packed(node, rewriting, tape[node.Operand(0)].MatMul(tape[node.Operand(1)]), (Mask: 3, Past: 4, Relative: 5));
    }

    // x [B, S, d] as integers · weight [d, Q|K|V] as integers, rescaled, + bias
    private static Expr?[] Quantized(Node node, Rewriting rewriting)
    {
        var product = QuantizedForms.Product(node, rewriting, scale: 4, zero: 7);
        return Packed(node, rewriting, product, (Mask: 5, Past: 8, Relative: -1));
    }

    private static Expr?[] Packed(Node node, Rewriting rewriting, Expr packed, (int Mask, int Past, int Relative) inputs)
    {
        var (tape, heads) = (rewriting.Tape, node.Int("num_heads", 1));
        if (node.Input(2) is { } bias) packed += tape[bias];
        var parts = PackedParts(node, packed, packed.Shape[-1].Value!.Value)
            .Select(part => LoweredAttention.SplitHeads(part, heads))
            .ToArray();
        var q = parts[0];
        var k = parts[1];
        var v = parts[2];
        var past = node.Input(inputs.Past) is { } cache ? tape[cache] : (Expr?)null;
        if (past is { } before) (k, v) = (Expr.Concat(2, before.Row(0), k), Expr.Concat(2, before.Row(1), v));
        var added = Padding(node, inputs.Mask, k, rewriting).ToList();
        if (inputs.Relative >= 0 && node.Input(inputs.Relative) is { } relative) added.Add(tape[relative]);
        return
        [
            LoweredAttention.MergeHeads(new LoweredAttention
            {
                Q = q,
                K = k,
                V = v,
                Scale = node.Float("scale", 0),
                Added = added,
                Visible = Causal(node, q, k, past is { } cached ? LengthOfPast(cached) : null),
            }.Emit()),
            Expr.Concat(0, k.Unsqueeze(0), v.Unsqueeze(0)),
        ];

        static Expr LengthOfPast(Expr past) => past.SizeOf(3).Squeeze(0);
    }

    // query [B, S, H·D], key and value [B, T, H·D] or [B, H, T, D], bias [Q|K|V]; past_key, past_value [B, H, P, D]
    private static Expr?[] MultiHead(Node node, Rewriting rewriting)
    {
        var (tape, heads) = (rewriting.Tape, node.Int("num_heads", 1));
        var start = 0L;
        var q = Part(0);
        var k = Part(1);
        var v = Part(2);
        var past = node.Input(6) is { } cache ? LoweredAttention.Length(tape[cache]) : (Expr?)null;
        if (past is not null) (k, v) = (Expr.Concat(2, tape[node.Operand(6)], k), Expr.Concat(2, tape[node.Operand(7)], v));
        var added = Padding(node, 4, k, rewriting).ToList();
        if (node.Input(5) is { } relative) added.Add(tape[relative]);
        return [LoweredAttention.MergeHeads(new LoweredAttention
        {
            Q = q,
            K = k,
            V = v,
            Scale = node.Float("scale", 0),
            Added = added,
            Visible = Causal(node, q, k, past),
        }.Emit()),
            k, v];

        Expr Part(int input)
        {
            var x = tape[node.Operand(input)];
            if (x.Rank == 4) return x;
            var end = start + x.Shape[-1].Value!.Value;
            if (node.Input(3) is { } bias) x += tape[rewriting.Part(bias, start, end)];
            start = end;
            return LoweredAttention.SplitHeads(x, heads);
        }
    }

    // query [B, S, H·D] with key and value [B, S, N·D], or all packed into query; the cache is empty in training: positions start at 0.
    private static Expr?[] Grouped(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        var heads = node.Int("num_heads", 1);
        var groups = node.Int("kv_num_heads", 1);
        var query = tape[node.Operand(0)];
        var width = query.Shape[-1].Value!.Value / (node.Input(1) is null ? heads + (2 * groups) : heads);
        var (q, k, v) = node.Input(1) is { } key
            ? (Split(query, heads), Split(tape[key], groups), Split(tape[node.Operand(2)], groups))
            : (Split(query.Slice(-1, 0, heads * width), heads), Split(query.Slice(-1, heads * width, (heads + groups) * width), groups),
                Split(query.Slice(-1, (heads + groups) * width, (heads + (2 * groups)) * width), groups));
        if (node.Int("do_rotary", 0) == 1)
        {
            var positions = node.Input(9) is { } given ? tape[given] : LoweredAttention.Positions(q);
            (q, k) = (Turned(q), Turned(k));

            Expr Turned(Expr x) => LoweredAttention.Rotary(x, Rows(7), Rows(8), node.Int("rotary_interleaved", 0) != 0);
            Expr Rows(int table) =>
                tape.Op("Gather", [tape[node.Operand(table)], positions]) is var rows && rows.Rank == 3 ? rows.Unsqueeze(1) : rows;
        }

        // seqlens_k holds the last position of each row; keys behind it are padding.
        var isReal = LoweredAttention.Positions(k).Apply("LessOrEqual", tape[node.Operand(5)].Reshape(-1, 1, 1, 1).Cast(ElementType.Int64));
        var window = Math.Max(0, node.Int("local_window_size", -1));
        var lowered = new LoweredAttention
        {
            Q = q,
            K = k,
            V = v,
            Scale = node.Float("scale", 0),
            Softcap = node.Float("softcap", 0),
            Sink = node.Input(11) is { } sink
                ? tape[sink]
                : node.Int("smooth_softmax", 0) == 1
                    ? tape.Constant(OnnxTensor.Of<float>([heads], new float[heads]))
                    : null,
            Added = node.Input(10) is { } bias ? [tape[bias]] : [],
            Visible = [.. LoweredAttention.Causal(q, k, window: window), isReal],
            SeesSomeKey = window == 0,   // the first: padding is behind a row, and behind it by more than a window nothing is seen
        };
        return [LoweredAttention.MergeHeads(lowered.Emit()), k, v];

        Expr Split(Expr x, long count) => LoweredAttention.SplitHeads(x, count);
    }

    // x [B, S, H·D] or [B, H, S, D]; positions [B, S], or [1]: where row 0 starts
    private static Expr?[] Rotary(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        var (x, cos) = (tape[node.Operand(0)], tape[node.Operand(2)]);
        var heads = node.Int("num_heads", 0) is > 0 and var given ? given : x.Shape[-1].Value!.Value / (2 * cos.Shape[-1].Value!.Value);
        var split = x.Rank == 4 ? x : LoweredAttention.SplitHeads(x, heads);
        var positions = tape[node.Operand(1)];
        if (positions.Rank == 1) positions = LoweredAttention.Positions(split) + positions;
        var turned = LoweredAttention.Rotary(split, Rows(2), Rows(3), node.Int("interleaved", 0) != 0).Scaled(node.Float("scale", 1));
        return [x.Rank == 4 ? turned : LoweredAttention.MergeHeads(turned)];

        Expr Rows(int table) =>
            tape.Op("Gather", [tape[node.Operand(table)], positions]) is var rows && rows.Rank == 3 ? rows.Unsqueeze(1) : rows;
    }

    private static IReadOnlyList<Expr> Causal(Node node, Expr q, Expr k, Expr? past) =>
        node.Int("unidirectional", 0) == 1 ? LoweredAttention.Causal(q, k, past) : [];

    // A mask [B] holds lengths, [B, T] and [B, S, T] zeros and ones; masked keys get mask_filter_value.
    private static IEnumerable<Expr> Padding(Node node, int input, Expr k, Rewriting rewriting)
    {
        if (node.Input(input) is not { } given) yield break;
        var (tape, mask) = (rewriting.Tape, rewriting.Tape[given]);
        var hidden = mask.Rank switch
        {
            1 => LoweredAttention.Positions(k).Apply("GreaterOrEqual", Numbers().Unsqueeze(1, 2, 3)),
            2 => Numbers().Unsqueeze(1, 2).Apply("Equal", tape.Scalar(0, ElementType.Int64)),
            _ => Numbers().Unsqueeze(1).Apply("Equal", tape.Scalar(0, ElementType.Int64)),
        };
        yield return hidden.Cast(ElementType.Float) * node.Float("mask_filter_value", -10000);

        Expr Numbers() => mask.Cast(ElementType.Int64);
    }

    // [2·B] holds ends and starts, [3·B + 2] sums of lengths.
    private static bool AreLengths(Dim size, Dim? batch) =>
        size == batch
            || !(size.IsKnown || (batch is { } rows && (Dim.Divide(size, rows) is not null || Dim.Divide(size - 2, rows) is not null)));
}
