using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Attention with further keys and values before those of the sequence. Notation: H query heads, N key/value heads, S queries, T
/// keys of the sequence, n further keys, D head width.</summary>
/// <remarks>The softmax runs over [scores of the sequence, q·k̃ᵀ]; what it gives the further keys weighs the further values, the rest goes
/// the way that it went before. So neither the mask nor anything else of the sequence changes its size. The sequence stands first: its
/// exponentials are added in the order of the plain softmax, whose result it has where the further keys are not there.</remarks>
/// <param name="tape">Tape of the graph.</param>
/// <param name="port">The attention.</param>
internal sealed class PrecededAttention(Tape tape, AttentionPort port)
{
    private long _count;   // n

    private AttentionCore Core => port.Core;

    /// <summary>Writes the attention; the one of before stays as it is.</summary>
    /// <param name="preceding">k̃ and the further values, [N, n, D].</param>
    /// <param name="weight">Factor of the exponentials of their scores: 0 = they are not there, 1 = they count as any other key.</param>
    /// <returns>The result, [.., S, D].</returns>
    public Expr Write(PrecedingKeys preceding, Expr weight)
    {
        var (keys, values) = (preceding.Keys, preceding.Values);
        _count = keys.Shape[1].Value!.Value;
        var scores = Scores(KeysOfLayer.Of(tape, port, keys, preceding.Offset));
        var before = Passed(Core.BeforeSoftmax, Core.Scores.Output, scores, isSequence: false);
        before += weight.Apply("Max", tape.Scalar(0, ElementType.Float)).Apply("Log").Cast(before.Type);   // −∞ where the weight is 0
        var weights = Expr.Concat(-1, tape[Core.Softmax.Operand(0)], before).Apply("Softmax", ("axis", -1));
        var ofFurther = Passed(Core.AfterSoftmax, Core.Softmax.Output, weights.Slice(-1, -_count, long.MaxValue), isSequence: false);
        var ofSequence = Passed(Core.AfterSoftmax, Core.Softmax.Output, weights.Slice(-1, 0, -_count), isSequence: true);
        return Again(Core.Context, Core.Context.Operand(0), ofSequence) + Weighted(ofFurther, values);
    }

    // q·k̃ᵀ, [.., S, n]
    private Expr Scores(Expr keys)
    {
        var queries = tape[Core.Q];
        if (Core.Scores.Int("transA", 0) == 1) queries = queries.T;
        CheckBatches(Core.Scores);
        var placed = Placed(keys.Cast(queries.Type), queries);
        var scores = HeadsApart(queries).MatMul(placed.T, Core.Scores.Float("alpha", 1));
        return LeadingAs(scores, Core.Scores.Output, _count);
    }

    // weights·values, [.., S, D]
    private Expr Weighted(Expr weights, Expr values)
    {
        CheckBatches(Core.Context);
        if (Core.Context.Int("transA", 0) == 1) throw Refusal(Core.Context, "its weights are transposed");
        var placed = Placed(values.Cast(weights.Type), tape[Core.Context.Operand(0)]);
        var context = HeadsApart(weights).MatMul(placed, Core.Context.Float("alpha", 1));
        return LeadingAs(context, Core.Context.Output, placed.Shape[-1].Value!.Value);
    }

    // [N, n, D] as the batches of a product have their heads.
    private Expr Placed(Expr rows, Expr operand)
    {
        var (heads, groups, shape) = ((long)port.Heads, (long)port.KvHeads, operand.Shape);
        var repeated = heads == groups ? rows : rows.Take([.. Enumerable.Range(0, port.Heads).Select(head => head / (heads / groups))]);
        return shape.Rank switch
        {
            var rank when groups == 1 => rows.Reshape([.. Enumerable.Repeat(1L, rank - 2), _count, -1]),   // all heads share it
            3 => repeated.Reshape(1, heads, _count, -1),
            4 when shape[1].Is(heads) => repeated.Reshape(1, heads, _count, -1),
            4 when shape[1].Is(groups) => rows.Reshape(1, groups, _count, -1),
            4 when shape[0].Is(heads) => repeated.Reshape(heads, 1, _count, -1),
            5 when shape[1].Is(groups) && shape[2].Is(heads / groups) => rows.Reshape(1, groups, 1, _count, -1),
            _ => throw Refusal(Core.Softmax, $"its operand of shape {shape} has no axis of {heads} heads"),
        };
    }

    // [B·H, S, n] → [B, H, S, n]
    private Expr HeadsApart(Expr operand) => operand.Rank != 3 || port.KvHeads == 1 ? operand
        : tape.Op("Reshape", [operand, Expr.Concat(0, tape.Longs(-1, port.Heads), operand.SizeOf(1), operand.SizeOf(2))]);

    // The same elements with the axes of another value, but for the last one, which stays.
    private Expr LeadingAs(Expr x, Value other, long last)
    {
        var like = tape[other];
        var leading = like.Shape.Take(like.Rank - 1).ToList();
        if (x.Rank == like.Rank && leading.Index().All(dim => dim.Item == x.Shape[dim.Index])) return x;
        var sizes = leading.Index()
            .Select(dim => dim.Item.Value ?? (dim.Index < x.Rank - 1 && dim.Item == x.Shape[dim.Index] ? 0 : -1))
            .ToList();
        return sizes.Count(size => size == -1) <= 1
            ? x.Reshape([.. sizes, last])
            : tape.Op("Reshape", [x, Expr.Concat(0, like.Apply("Shape").Slice(0, 0, -1), tape.Longs(last))]);
    }

    // The way to the softmax, or behind it, for scores or weights of the sequence or of the further keys: these are not masked.
    private Expr Passed(IReadOnlyList<Node> way, Value from, Expr x, bool isSequence)
    {
        foreach (var node in way)
        {
            x = isSequence ? Again(node, from, x) : Further(node, from, x);
            from = node.Output;
        }
        return x;
    }

    private Expr Further(Node node, Value from, Expr x) => node.Op switch
    {
        "Reshape" => LeadingAs(x, node.Output, _count),
        "Sub" => x - tape[node.Operand(1)],                        // the largest score of the sequence, from all
        "Where" when IsGuard(node, from) => Again(node, from, x),
        "Add" or "Where" or "Concat" or "Slice" => x,              // masks and biases of keys of the sequence; sinks and the way back
        "Mul" when !node.Inputs.All(input => input == from || input!.Shape is { } shape && (shape.Rank == 0 || shape[-1].Is(1))) => x,
        _ => Again(node, from, x),
    };

    // Where(IsNaN(p), 0, p)
    private static bool IsGuard(Node node, Value from) => node.Operand(0).Producer is { Op: "IsNaN" } check && check.Operand(0) == from;

    private Expr Again(Node node, Value from, Expr x)
    {
        Expr?[] inputs = [.. node.Inputs.Select(input => input is null ? (Expr?)null
            : input == from ? x
            : IsGuard(node, from) && input == node.Operand(0) ? x.Apply("IsNaN")
            : tape[input])];
        return tape.Op(node.Op, inputs, [.. node.Attributes.Select(attribute => (attribute.Key, (OnnxAttribute?)attribute.Value))]);
    }

    private void CheckBatches(Node product)
    {
        if (product.Int("transBatchA", 0) == 1 || product.Int("transBatchB", 0) == 1)
            throw Refusal(product, "it transposes its batches");
    }

    private LortaException Refusal(Node node, string why) => AdapterErrors.NoAttentionPlace(port.Layer, node, why);
}
