using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Whole operators of opsets 23 and 24 come down to products, sums and norms; what they can say beyond the forms here is refused by name.</summary>
internal static class Opset23Forms
{
    public static readonly Form[] All =
    [
        new("RMS norm", "RMSNormalization", RmsNorm),
        new("swish", "Swish", (node, rewriting) => rewriting.Substitute(node, Swish)),
        new("rotary embedding", "RotaryEmbedding", (node, rewriting) => rewriting.Substitute(node, Rotary)),
        new("attention", "Attention", (node, rewriting) => rewriting.Substitute(node, Attention)),
    ];

    private static bool RmsNorm(Node node, Rewriting rewriting)
    {
        rewriting.Replace(node, "SimplifiedLayerNormalization", node.Inputs, ("axis", node.Int("axis", -1)), ("epsilon", node.Float("epsilon", 1e-5f)), ("stash_type", node.Int("stash_type", 1)));
        return true;
    }

    // x·sigmoid(α·x)
    private static Expr Swish(Node node, Rewriting rewriting)
    {
        var x = rewriting.Tape[node.Input(0)!];
        return x * (x * node.Float("alpha", 1)).Apply("Sigmoid");
    }

    // x = [a, b, rest] along the last axis ⇒ [a∘cos − b∘sin, a∘sin + b∘cos, rest]; cos, sin [batch, sequence, width/2] or tables of positions.
    private static Expr Rotary(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        var x = tape[node.Input(0)!];
        if (node.Int("interleaved", 0) != 0) throw Refused(node, rewriting, "interleaved halves");
        if (node.Input(0)!.Shape is not { Rank: 4 } shape || shape[-1].Value is not { } width) throw Refused(node, rewriting, "an input that is not [batch, heads, sequence, width]");
        var turning = node.Int("rotary_embedding_dim", 0) is var dim && dim > 0 ? dim : width;
        var (cos, sin) = (Table(1), Table(2));
        var (a, b) = (x.Slice(-1, 0, turning / 2), x.Slice(-1, turning / 2, turning));
        var (first, second) = ((a * cos) - (b * sin), (a * sin) + (b * cos));
        var turned = Expr.Concat(-1, first, second);
        return turning == width ? turned : Expr.Concat(-1, turned, x.Slice(-1, turning, width));

        Expr Table(int input) => (node.Input(3) is { } positions ? tape.Op("Gather", [tape[node.Input(input)!], tape[positions]]) : tape[node.Input(input)!]).Unsqueeze(1);
    }

    // softmax(scale·q·kᵀ + mask)·v over [batch, heads, sequence, width]
    private static Expr Attention(Node node, Rewriting rewriting)
    {
        if (Unsupported(node) is { } reason) throw Refused(node, rewriting, reason);
        var tape = rewriting.Tape;
        var (q, k, v) = (tape[node.Input(0)!], tape[node.Input(1)!], tape[node.Input(2)!]);
        var scores = q.MatMul(k.T) * node.Float("scale", (float)(1 / Math.Sqrt(q.Shape[-1].Value!.Value)));
        if (node.Float("softcap", 0) is > 0 and var cap) scores = (scores / cap).Apply("Tanh") * cap;
        if (node.Input(3) is { } mask) scores = mask.Type == ElementType.Bool ? Masked(scores, tape[mask]) : scores + tape[mask];
        if (node.Int("is_causal", 0) == 1) scores = Masked(scores, Earlier(tape, q, k));
        return scores.Apply("Softmax", ("axis", -1)).MatMul(v);
    }

    private static string? Unsupported(Node node) => node switch
    {
        _ when node.Inputs.Take(3).Any(input => input?.Shape is not { Rank: 4 }) => "inputs that are not [batch, heads, sequence, width]",
        _ when node.Input(0)!.Shape![-1].Value is null => "heads of unknown width",
        _ when node.Input(0)!.Shape![1] != node.Input(1)!.Shape![1] => "fewer key than query heads",
        _ when node.Input(4) is not null || node.Input(5) is not null => "a key/value cache inside",
        _ when node.Input(6) is not null => "keys counted by row",
        _ when node.Outputs.Skip(1).Any(output => output is not null) => "further outputs",
        _ => null,
    };

    // The lowest number instead of −∞, as ONNX Runtime does: a row without keys stays finite.
    private static Expr Masked(Expr scores, Expr visible) => scores.Where(visible, scores.Tape.Scalar(float.MinValue, ElementType.Float));

    // Key j is visible to query i when j ≤ i.
    private static Expr Earlier(Tape tape, Expr q, Expr k) => Positions(tape, k).Tape.Op("LessOrEqual", [Positions(tape, k), Positions(tape, q).Unsqueeze(1)]);

    private static Expr Positions(Tape tape, Expr x)
    {
        var count = tape.Op("Squeeze", [x.Apply("Shape", ("start", 2), ("end", 3))]);
        return tape.Op("Range", [tape.Constant(Tensor.Scalar(0L)), count, tape.Constant(Tensor.Scalar(1L))]);
    }

    private static LortaException Refused(Node node, Rewriting rewriting, string what) =>
        DiscoveryErrors.OperatorNotSupported(rewriting.Deployed.Path, node, $"{what} are not lowered yet");
}
