namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>What lies between two values of a graph, written once more for another value.</summary>
internal static class PathCopy
{
    /// <summary>Writes all that is made of one value on the way to another.</summary>
    /// <param name="from">Where the way starts.</param>
    /// <param name="instead">What takes its place.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="write">Writes a node on its new inputs in a way of its own; null = as it is.</param>
    /// <returns>What takes the place of <paramref name="to"/>; null where that is not made of the start.</returns>
    public static Expr? Of(Value from, Expr instead, Value to, Func<Node, Expr?[], Expr?>? write = null)
    {
        var (tape, made) = (instead.Tape, new Dictionary<Value, Expr> { [from] = instead });
        foreach (var node in InOrder(from, to))
        {
            if (!node.Inputs.Any(input => input is not null && made.ContainsKey(input))) continue;
            var inputs = node.Inputs.Select(input => input is null ? null : (Expr?)made.GetValueOrDefault(input, tape[input])).ToArray();
            if (write?.Invoke(node, inputs) is { } own)
            {
                made[node.Output] = own;
                continue;
            }
            foreach (var (old, copy) in node.Outputs.Zip(CopyOf(tape, node, inputs).Outputs))
                if (old is not null) made[old] = tape[copy!];
        }
        return made.TryGetValue(to, out var result) ? result : null;
    }

    /// <summary>The same operator on other inputs.</summary>
    /// <param name="tape">Writes it.</param>
    /// <param name="node">The operator.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="others">Attributes that are others.</param>
    public static Node CopyOf(
        Tape tape, Node node, ReadOnlySpan<Expr?> inputs, params IReadOnlyList<(string Name, OnnxAttribute? Value)> others)
    {
        var kept = node.Attributes.Where(attribute => !others.Any(other => other.Name == attribute.Key));
        return tape.Write(node.Op, inputs, node.Outputs.Count, [.. kept.Select(pair => (pair.Key, (OnnxAttribute?)pair.Value)), .. others]);
    }

    // The nodes that a value is made by, the first ones first, none before the start.
    private static List<Node> InOrder(Value from, Value to)
    {
        var (order, known, open) = (new List<Node>(), new HashSet<Node>(), new Stack<(Node Node, bool AreInputsDone)>());
        Open(to);
        while (open.TryPop(out var at))
        {
            if (at.AreInputsDone)
            {
                order.Add(at.Node);
                continue;
            }
            if (!known.Add(at.Node)) continue;
            open.Push((at.Node, true));
            foreach (var input in at.Node.Inputs) Open(input);
        }
        return order;

        void Open(Value? value)
        {
            if (value is { Producer: { } node } && value != from) open.Push((node, false));
        }
    }
}
