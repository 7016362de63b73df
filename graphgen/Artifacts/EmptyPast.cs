using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Takes key/value caches out of a graph that is trained on whole rows, for hosts that would have to feed empty ones.</summary>
internal static class EmptyPast
{
    private const int Tokens = 2;   // axis of [rows, heads, tokens, width]

    /// <summary>Removes the inputs that are caches: what is joined with one is itself, and where else one is read, it is an empty
    /// tensor.</summary>
    public static void Remove(Tape tape)
    {
        var graph = tape.Graph;
        var rows = TextInputs.Fed(graph).FirstOrDefault(input => input is { Type: ElementType.Int64 or ElementType.Int32, Shape.Rank: 2 });
        if (rows is null) return;
        foreach (var past in TextInputs.Fed(graph).Where(IsPast).ToList())
        {
            foreach (var join in past.Uses.Select(use => use.Node).Where(IsJoin).Distinct().ToList()) Leave(tape, join, past);
            if (past.Uses.Count > 0) graph.ReplaceUses(past, Empty(tape, past, rows).Value);
            graph.RemoveInput(past);
        }
    }

    private static bool IsPast(Value input) =>
        TextInputs.IsCache(input.Type, input.Shape?.Rank) && input.Shape![1].IsKnown && input.Shape[^1].IsKnown;

    private static bool IsJoin(Node node) => node.Op == "Concat" && node.Axis(rank: 4) == Tokens;

    private static void Leave(Tape tape, Node join, Value past)
    {
        Expr[] others = [.. join.Inputs.OfType<Value>().Where(input => input != past).Select(input => tape[input])];
        tape.Graph.ReplaceUses(join.Output, (others is [var only] ? only : Expr.Concat(Tokens, others)).Value);
        tape.Graph.Remove(join);
    }

    private static Expr Empty(Tape tape, Value past, Value rows)
    {
        var batch = tape[rows].Apply("Shape", ("start", 0), ("end", 1));
        return Expr.Zeros(tape, Expr.Concat(0, batch, tape.Longs(past.Shape![1].Value!.Value, 0, past.Shape[^1].Value!.Value)), past.Type);
    }
}
