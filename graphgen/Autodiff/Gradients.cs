using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff;

/// <summary>Reverse mode: derives the gradient graph of a scalar.</summary>
/// <remarks>Walks the nodes between what is trained and the objective backwards and asks each one's rule
/// (<see cref="LortaCatalog.Rules"/>). Rules may write more than is needed; <see cref="Graph.RemoveUnused"/> drops what no output
/// reads.</remarks>
internal static class Gradients
{
    /// <summary>Writes ∂objective/∂value for each of <paramref name="wrt"/>.</summary>
    /// <param name="tape">Where to write. The graph must have its shapes inferred; it is brought into execution order.</param>
    /// <param name="objective">A scalar; the sum of its elements is meant where it has several.</param>
    /// <param name="wrt">Inputs, constants or inner values, of a float type.</param>
    /// <param name="catalog">The rules.</param>
    /// <returns>A gradient of the shape of each value; zeros where the objective does not depend on it.</returns>
    /// <exception cref="LortaException">LRT401 … LRT403: a node in between has no gradient.</exception>
    public static IReadOnlyList<Expr> Of(Tape tape, Value objective, IReadOnlyList<Value> wrt, LortaCatalog catalog)
    {
        tape.Graph.Sort();
        var nodes = tape.Graph.Nodes.ToArray();
        var moving = Moving(nodes, wrt, catalog);
        var between = Between(nodes, moving, objective);
        if (between.FirstOrDefault(node => catalog.RuleOf(node.Op) is null or { Reason: not null }) is { } unknown)
            throw AutodiffErrors.NoRule(unknown, catalog.RuleOf(unknown.Op)?.Reason);
        var parts = new Dictionary<Value, List<Expr>> { [objective] = [tape.Scalar(1, objective.Type).ExpandLike(tape[objective])] };
        foreach (var node in between.Reverse())
            if (node.Outputs.Any(output => output is not null && moving.Contains(output) && parts.ContainsKey(output)))
                Pass(tape, (node, catalog.RuleOf(node.Op)!), moving, parts);
        return [.. wrt.Select(Gradient)];

        Expr Gradient(Value value)
        {
            using var scope = tape.Scope($"{value.Name}_grad");
            return parts.TryGetValue(value, out var given) ? Sum(given) : tape[value].Zeros();
        }
    }

    private static void Pass(Tape tape, (Node Node, GradientRule Rule) on, HashSet<Value> moving, Dictionary<Value, List<Expr>> parts)
    {
        var (node, rule) = on;
        for (var i = rule.Outputs; i < node.Outputs.Count; i++)
            if (node.Outputs[i] is { } output && parts.ContainsKey(output)) throw AutodiffErrors.OutputNotSupported(node, i);

        using var scope = tape.Scope($"{(node.Name.Length > 0 ? node.Name : node.Output.Name)}_grad");
        var gradients = node.Outputs.OfType<Value>().Where(parts.ContainsKey).ToDictionary(output => output, output => Sum(parts[output]));
        var given = rule.Inputs!(new GradientCall(tape, node, gradients, moving));
        if (node.Inputs.Skip(given.Count).Any(input => input is not null && moving.Contains(input)))
            throw new InvalidOperationException($"The rule of {node.Op} gives {given.Count} gradients to {node.Inputs.Count} inputs.");
        if (given.Count < node.Inputs.Count)
            throw AutodiffErrors.FormNotSupported(node, $"it has {node.Inputs.Count} inputs where the operator takes {given.Count}");
        for (var i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Inputs[i] is not { } input || !moving.Contains(input) || given[i] is not { } part) continue;
            var gradient = part.SumTo(tape[input]);
            gradient.Value.Shape = input.Shape;   // a gradient has the shape of its value, also where inference does not see it
            if (!parts.TryGetValue(input, out var before)) parts[input] = before = [];
            before.Add(gradient);
        }
    }

    // One operator for all readers of a value: no sum of some of them is written and read again.
    private static Expr Sum(List<Expr> parts) => parts switch
    {
        [var only] => only,
        [var a, var b] => a + b,
        _ => parts[0].Tape.Op("Sum", [.. parts.Select(part => (Expr?)part)]),
    };

    /// <summary>The values that move when those of <paramref name="wrt"/> do, along paths of floats that have a derivative.</summary>
    private static HashSet<Value> Moving(Node[] nodes, IReadOnlyList<Value> wrt, LortaCatalog catalog)
    {
        var moving = new HashSet<Value>(wrt);
        foreach (var node in nodes)
        {
            if (node.StopsGradient || !Reads(node).Any(moving.Contains) || catalog.RuleOf(node.Op) is { Inputs: null }) continue;

            // An operator that nothing is known of must be refused, not passed over.
            moving.UnionWith(node.Outputs.OfType<Value>().Where(output => output.Type.IsFloat() || output.Type == ElementType.Undefined));
        }
        return moving;
    }

    // The nodes on the way from what moves to the objective, in order.
    private static IEnumerable<Node> Between(Node[] nodes, HashSet<Value> moving, Value objective)
    {
        var (needed, between) = (new HashSet<Value> { objective }, new Stack<Node>());
        foreach (var node in nodes.Reverse())
        {
            if (!node.Outputs.OfType<Value>().Any(output => needed.Contains(output) && moving.Contains(output))) continue;
            between.Push(node);
            needed.UnionWith(Reads(node).Where(moving.Contains));
        }
        return between;
    }

    private static IEnumerable<Value> Reads(Node node) => node.Inputs.OfType<Value>().Concat(node.Captures);
}
