using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Fused attention and rotary embedding. Notation: B batch, S new positions, P past ones, N heads, H head size, D = N·H.</summary>
internal static class AttentionInference
{
    public static readonly InferenceRule[] All =
    [
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Shape(0)), "RotaryEmbedding", OrtOps.RotaryEmbedding),
        new(OrtOps.Attention, f => Packed(f, type: 0, past: 4)),
        new(OrtOps.QAttention, f => Packed(f, type: 3, past: 8)),
        new(OrtOps.MultiHeadAttention, MultiHead),
        new(OrtOps.GroupQueryAttention, GroupQuery),
        new("Attention", Standard),
    ];

    // x [B, S, in], weights [in, Q|K|V] → [B, S, V], present [2, B, N, P + S, H]
    private static void Packed(NodeFacts f, int type, int past)
    {
        var width = f.Node.Ints("qkv_hidden_sizes") is [_, _, var v] ? v
            : f.Shape(1, 1) is { } w ? Dim.Divide(w[-1], 3)
            : null;
        if (f.Shape(0, 2) is not { } x || width is not { } d) return;
        f.Set(0, f.Type(type), [x[0], x[1], d]);
        var heads = f.Int("num_heads", 1);
        f.Set(1, f.Type(type), [2, x[0], heads, (f.Shape(past, 4)?[3] ?? 0) + x[1], Dim.Divide(d, heads) ?? f.Fresh(1, 4)]);
    }

    // query [B, S, D] or packed [B, S, N, 3, H]; key, value [B, L, D] or [B, N, L, H] → [B, S, Dv], presents [B, N, P + L, H]
    private static void MultiHead(NodeFacts f)
    {
        if (f.Shape(0, 2) is not { } q) return;
        var heads = f.Int("num_heads", 1);
        var width = q.Rank == 5 ? q[2] * q[4] : Width(f.Shape(2, 1)) ?? q[-1];
        f.Set(0, f.Type(0), [q[0], q[1], width]);
        for (var i = 1; i <= 2; i++)
        {
            var (given, past) = (f.Shape(i, 2), f.Shape(5 + i, 3));
            var length = (given is { Rank: 4 } ? given[2] : given?[1] ?? q[1]) + (past?[2] ?? 0);
            f.Set(i, f.Type(0), [q[0], heads, length, Dim.Divide(Width(given) ?? width, heads) ?? f.Fresh(i, 3)]);
        }
    }

    // query [B, S, D] or packed [B, S, (N + 2·N_kv)·H] → [B, S, N·H]; presents [B, N_kv, T, H], where T depends on how the cache is kept
    private static void GroupQuery(NodeFacts f)
    {
        if (f.Shape(0, 2) is not { } q) return;
        var (heads, kvHeads) = (f.Int("num_heads", 1), f.Int("kv_num_heads", 1));
        var headSize = Dim.Divide(q[-1], f.Has(1) ? heads : heads + (2 * kvHeads)) ?? throw f.Fail($"{q[-1]} does not split into heads");
        f.Set(0, f.Type(0), [q[0], q[1], headSize * heads]);
        for (var output = 1; output <= 2; output++)
            f.Set(output, f.Has(3) ? f.Type(3) : f.Type(0), [q[0], kvHeads, f.Fresh(output, 2), headSize]);
    }

    // Q [B, N, S, H] or [B, S, N·H], K and V alike → Y in the form of Q; presents [B, N_kv, P + L, H]; products [B, N, S, P + L]
    private static void Standard(NodeFacts f)
    {
        if (f.Shape(0, 3) is not { } q || f.Shape(1, 3) is not { } k || f.Shape(2, 3) is not { } v) return;
        var flat = q.Rank == 3;
        var (heads, kvHeads) = flat ? (f.Int("q_num_heads", 1), f.Int("kv_num_heads", 1)) : (q[1], k[1]);
        var valueSize = flat ? Dim.Divide(v[-1], kvHeads) ?? f.Fresh(0, 2) : v[-1];
        var keySize = flat ? Dim.Divide(k[-1], kvHeads) ?? f.Fresh(1, 3) : k[-1];
        var total = k[-2] + (f.Shape(4, 2)?[-2] ?? 0);
        f.Set(0, f.Type(0), flat ? [q[0], q[1], heads * valueSize] : [q[0], q[1], q[2], valueSize]);
        f.Set(1, f.Type(1), [q[0], kvHeads, total, keySize]);
        f.Set(2, f.Type(2), [q[0], kvHeads, total, valueSize]);
        f.Set(3, f.Type(0), [q[0], heads, flat ? q[1] : q[2], total]);
    }

    private static Dim? Width(Shape? x) => x is { Rank: 4 } ? x[1] * x[3] : x?[-1];
}
