using LoRTA.Onnx.GraphGen.Canonical.Fused;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Opsets;

/// <summary>Whole operators of opsets 23 and 24 come down to products, sums and norms; what they can say beyond the forms here is refused
/// by name.</summary>
internal static class Opset23Forms
{
    public static readonly Form[] All =
    [
        new Replace("RMS norm", "RMSNormalization", RmsNorm),
        new Replace("swish", "Swish", (node, rewriting) => rewriting.Substitute(node, Swish)),
        .. Form.Lowered("rotary embedding", "RotaryEmbedding", WhyNotRotary, Rotary),
        .. Form.Lowered("attention", "Attention", WhyNotAttention, Attention),
    ];

    private static Outcome RmsNorm(Node node, Rewriting rewriting)
    {
        rewriting.Replace(
            node,
            "SimplifiedLayerNormalization",
            node.Inputs,
            ("axis", node.Int("axis", -1)),
            ("epsilon", node.Float("epsilon", 1e-5f)),
            ("stash_type", node.Int("stash_type", 1)));
        return Outcome.Done;
    }

    // x·sigmoid(α·x)
    private static Expr?[] Swish(Node node, Rewriting rewriting) =>
        [rewriting.Tape[node.Operand(0)].Apply(OrtOps.QuickGelu, ("alpha", node.Float("alpha", 1)))];

    // x [B, H, S, D] or [B, S, H·D]; cos, sin [B, S, n], or tables that positions choose from
    private static Expr?[] Rotary(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        var (x, heads) = (tape[node.Operand(0)], node.Int("num_heads", 0));
        var turned = LoweredAttention.Rotary(
            x.Rank == 4 ? x : LoweredAttention.SplitHeads(x, heads), Table(1), Table(2), node.Int("interleaved", 0) != 0);
        return [x.Rank == 4 ? turned : LoweredAttention.MergeHeads(turned)];

        Expr Table(int input) =>
            (node.Input(3) is { } positions ? tape.Op("Gather", [tape[node.Operand(input)], tape[positions]]) : tape[node.Operand(input)])
                .Unsqueeze(1);
    }

    // q, k, v [B, H, S, D] or [B, S, H·D], a past before keys and values; results, keys and values with the past, in that order
    private static Expr?[] Attention(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        var q = Heads(0, "q_num_heads");
        var k = Heads(1, "kv_num_heads");
        var v = Heads(2, "kv_num_heads");
        var past = node.Input(4) is { } before ? LoweredAttention.Length(tape[before]) : (Expr?)null;
        if (past is not null) (k, v) = (Expr.Concat(2, tape[node.Operand(4)], k), Expr.Concat(2, tape[node.Operand(5)], v));
        var (added, visible) = (new List<Expr>(), new List<Expr>());
        if (node.Input(3) is { } mask) (mask.Type == ElementType.Bool ? visible : added).Add(tape[mask]);
        if (node.Int("is_causal", 0) == 1) visible.AddRange(LoweredAttention.Causal(q, k, past));
        if (node.Input(6) is { } lengths) visible.Add(LoweredAttention.Positions(k).Apply("Less", tape[lengths].Unsqueeze(1, 2, 3)));
        var lowered = new LoweredAttention
        {
            Q = q,
            K = k,
            V = v,
            Added = added,
            Visible = visible,
            Scale = node.Float("scale", 0),
            Softcap = node.Float("softcap", 0),
        };
        var result = lowered.Emit();
        return [node.Operand(0).Rank == 3 ? LoweredAttention.MergeHeads(result) : result, k, v];

        Expr Heads(int input, string count) =>
            node.Operand(input).Rank == 3
                ? LoweredAttention.SplitHeads(tape[node.Operand(input)], node.Int(count, 1))
                : tape[node.Operand(input)];
    }

    private static string? WhyNotRotary(Node node) =>
        node.Operand(0).Shape is { Rank: 3 or 4 } shape && (shape.Rank == 4 || node.Int("num_heads", 0) > 0) && shape[-1].IsKnown
            && new[] { 1, 2 }.All(table => node.Operand(table).Shape is { Rank: > 0 } angles && angles[-1].IsKnown)
            ? null
            : "an input of unknown heads or widths is not lowered";

    private static string? WhyNotAttention(Node node) => node switch
    {
        _ when node.Inputs.Take(3).Any(input => input?.Shape is not { Rank: 3 or 4 } shape
            || shape[-1].Value is null
            || (shape.Rank == 4 && shape[1].Value is null)) =>
            "heads of unknown number or width are not lowered",
        _ when node.Outputs.Count > 3 && node.Outputs[3] is { } scores && (scores.Uses.Count > 0 || node.Graph!.IsOutput(scores)) =>
            "scores as a further output are not lowered",
        _ when node.Int("q_num_heads", 1) < 1 || node.Int("kv_num_heads", 1) < 1 => "a number of heads below 1 is not lowered",
        _ => null,
    };
}
