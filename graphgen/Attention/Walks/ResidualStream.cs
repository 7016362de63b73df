using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>The stream of hidden states that runs through a transformer, and the sums by which attention and MLPs join it.</summary>
/// <remarks><code>
/// one after the other:  s = x + P;  t = s + down      two sums; s is read by the MLP and by the second sum
/// side by side:         t = (x + P) + down            one sum of three: nobody else reads x + P
/// </code></remarks>
/// <param name="graph">A graph whose nodes are in order.</param>
/// <param name="width">Model width.</param>
internal sealed class ResidualStream(Graph graph, long width)
{
    private const int MaxViews = 4;   // between the stream and a sum that reads it

    private readonly Dictionary<Node, int> _order = graph.Nodes.Index().ToDictionary(item => item.Item, item => item.Index);

    /// <summary>The first sum that what is made of a value joins; null where there is none.</summary>
    public ResidualSum? JoinedBy(Value branch)
    {
        var made = new HashSet<Value> { branch };
        for (var node = branch.Producer!.Next; node is not null; node = node.Next)
        {
            if (node.Op == "Shape" || !node.Inputs.Any(input => input is not null && made.Contains(input))) continue;
            if (IsSum(node) && node.Inputs.Count(input => made.Contains(input!)) == 1) return Around(node);
            made.UnionWith(node.Outputs.OfType<Value>());
        }
        return null;
    }

    /// <summary>The next sum that the stream itself is an operand of, behind a norm where the stream is normalised; null at its
    /// end.</summary>
    /// <param name="at">Where the stream is; moves behind the norm.</param>
    public ResidualSum? Next(ref Value at)
    {
        while (ReaderOf(at) is { } reader && IsPassage(reader, at)) at = reader.Output;
        var stream = at;
        return SumsOf(at, MaxViews).OrderBy(sum => _order[sum]).FirstOrDefault(sum => sum.Inputs.Any(input => IsBranchOf(stream, input!)))
            is { } next
            ? Around(next)
            : null;
    }

    /// <summary>Whether a value is made of the stream and is not the stream itself, scaled or in another shape.</summary>
    public bool IsBranchOf(Value stream, Value value) => StreamOf(value) != StreamOf(stream) && DependsOn(value, stream);

    /// <summary>Whether a value is made from another one.</summary>
    public bool DependsOn(Value value, Value other) => value == other || Between(other, value).Count > 0;

    /// <summary>Whether one value comes before another in the order of the graph.</summary>
    public bool IsBefore(Value value, Value other) => OrderOf(value) < OrderOf(other);

    /// <summary>The nodes that a value is made by from another one, in no order.</summary>
    public IReadOnlyCollection<Node> Between(Value source, Value value)
    {
        var start = OrderOf(source);
        var between = new HashSet<Node>();
        var known = new HashSet<Node>();
        var open = new Stack<Node>();
        if (value.Producer is { } last) open.Push(last);
        while (open.TryPeek(out var node))
        {
            if (!known.Add(node))
            {
                open.Pop();
                if (node.Inputs.Any(input => input == source || (input?.Producer is { } from && between.Contains(from)))) between.Add(node);
                continue;
            }
            foreach (var producer in node.Inputs.Select(input => input?.Producer).OfType<Node>())
                if (!known.Contains(producer) && _order[producer] > start) open.Push(producer);
        }
        return between;
    }

    /// <summary>A value of the stream behind views of it and numbers that it is multiplied by.</summary>
    public static Value StreamOf(Value value)
    {
        while (value.Producer is { } node && (ViewOps.KeepsNumbers(node) || IsScale(node)))
            value = node.Inputs[0]!.IsConstant ? node.Inputs[1]! : node.Inputs[0]!;
        return value;
    }

    private int OrderOf(Value value) => value.Producer is { } node ? _order[node] : -1;

    // Neighbouring sums whose result nobody else reads are one. A branch beside a linear layer is part of that layer.
    private ResidualSum Around(Node sum)
    {
        while (Above(sum.Output) is { } above) sum = above;
        var terms = new List<Value>();
        var open = new Stack<Value>(sum.Inputs.Reverse().OfType<Value>());
        while (open.TryPop(out var value))
        {
            var inner = Inner(value);
            if (inner is null) terms.Add(value);
            else foreach (var input in inner.Inputs.Reverse()) open.Push(input!);
        }
        return new ResidualSum(sum.Output, terms);
    }

    private Node? Above(Value value)
    {
        for (var views = 0; views < MaxViews && ReaderOf(value) is { } reader; views++)
        {
            if (IsSum(reader)) return reader;
            if (!ViewOps.KeepsNumbers(reader)) return null;
            value = reader.Output;
        }
        return null;
    }

    private Node? Inner(Value value)
    {
        for (var views = 0; views < MaxViews && ReaderOf(value) is not null && value.Producer is { } node; views++)
        {
            if (IsSum(node)) return SideBranch.LayerUnder(node.Output) is null ? node : null;
            if (!ViewOps.KeepsNumbers(node)) return null;
            value = node.Inputs[0]!;
        }
        return null;
    }

    private IEnumerable<Node> SumsOf(Value value, int views) =>
        ProjectionWalk.ReadersOf(value).SelectMany(reader => IsSum(reader) ? [reader]
            : views > 0 && (ViewOps.KeepsNumbers(reader) || IsScale(reader)) ? SumsOf(reader.Output, views - 1)
            : []);

    // Behind an operator that nobody knows, shapes are not known.
    private bool IsSum(Node node) => node.Op == "Add" && node.Inputs.All(input => input is { IsConstant: false })
        && node.Inputs.Any(input => input!.Shape is { Rank: >= 2 } shape && shape[^1].Is(width));

    // The only node that computes with a value; null where the value is a result of the graph as well.
    private Node? ReaderOf(Value value) =>
        graph.IsKnownByName(value) ? null : ProjectionWalk.ReadersOf(value) is [var single] ? single : null;

    private static bool IsPassage(Node node, Value value) =>
        node.Input(0) == value && node.Op is "LayerNormalization" or "SimplifiedLayerNormalization"
            || ViewOps.KeepsNumbers(node) || IsScale(node)
            || (node.Op == "Add" && node.Inputs.Any(input => input!.IsConstant));

    private static bool IsScale(Node node) => node.Op is "Mul" or "Div" && node.Inputs.Any(input => input!.IsConstant);
}

/// <summary>A sum in which branches join the stream.</summary>
/// <param name="Result">The stream behind it.</param>
/// <param name="Terms">Its operands: the stream before, and the branches.</param>
internal sealed record ResidualSum(Value Result, IReadOnlyList<Value> Terms);
