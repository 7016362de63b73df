using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>The operators of a rotary embedding, in any spelling: halves or neighbours, all or part of a head, axes moved inside. It is
/// found by following the data from a sum (or a join of parts) back to the one value that all of it comes from; angles are what comes
/// from no linear layer.</summary>
internal sealed class RotaryRegion
{
    private const int Largest = 128;     // values of a region
    private const int Farthest = 4096;   // nodes above an angle
    private const string Kind = "an operator of a rotary embedding";

    private static readonly FrozenSet<string> Elementwise =
        FrozenSet.Create(StringComparer.Ordinal, "Add", "Sub", "Mul", "Div", "Neg", "Cast", "Where");
    private static readonly FrozenSet<string> Moving =
        FrozenSet.Create(StringComparer.Ordinal, "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Split", "Slice");

    private readonly Dictionary<Value, bool> _carries = [];
    private readonly List<Value> _order = [];   // what a value is made of comes before it

    private RotaryRegion(Value result)
    {
        Result = result;
        Visit(result, depth: 0);
    }

    /// <summary>What attention sees.</summary>
    public Value Result { get; }

    /// <summary>The value that is rotated; null where the data come from several.</summary>
    public Value? Source { get; private set; }

    /// <summary>A pattern whose hole <c>X</c> is the value that is rotated.</summary>
    public static Pattern Pattern { get; } = new RotaryPattern();

    /// <summary>Where the features go; features that are rotated into each other must stay in one head.</summary>
    public static FeatureFlow? Move(FeatureFlow grid, Value result) =>
        Of(result) is { Source: { } source } region ? MixedFeatures.Along(region.Values(source), grid) : null;

    /// <summary>The region that ends at a value; null where that is no sum or join of data.</summary>
    public static RotaryRegion? Of(Value result)
    {
        if (result.Producer is not { Op: "Add" or "Sub" or "Concat" }) return null;
        var region = new RotaryRegion(result);
        if (region.DataOf(result).Count < 2) return null;
        region.Source = region.Back().Source;
        return region;
    }

    // From the result back, the latest value first, until one value is all there is.
    private (Value? Source, int Passed, Value Stop) Back()
    {
        var positions = _order.Index().ToDictionary(item => item.Item, item => item.Index);
        var open = new SortedSet<int> { positions[Result] };
        for (var passed = 0; ; passed++)
        {
            var value = _order[open.Max];
            if (open.Count == 1 && value != Result) return (value, passed, value);
            if (PartsOf(value) is null) return (null, passed, value);
            open.Remove(positions[value]);
            open.UnionWith(DataOf(value).Select(part => positions[part]));
        }
    }

    /// <summary>The source and all that lies between it and the result, in the order of the data, each with what it is made of; angles are
    /// left out.</summary>
    public IEnumerable<(Value Value, IReadOnlyList<Value> Data)> Values(Value source)
    {
        var made = new HashSet<Value> { source };
        yield return (source, []);
        foreach (var value in _order.SkipWhile(value => value != source).Skip(1))
            if (_carries[value] && DataOf(value) is [_, ..] data && data.All(made.Contains) && made.Add(value)) yield return (value, data);
    }

    private IReadOnlyList<Value> DataOf(Value value) => [.. (PartsOf(value) ?? []).Where(part => _carries.GetValueOrDefault(part))];

    private bool Visit(Value value, int depth)
    {
        if (_carries.TryGetValue(value, out var known)) return known;
        var carries = false;
        if (_order.Count < Largest && depth < Largest && PartsOf(value) is { } parts)
            foreach (var part in parts) carries |= Visit(part, depth + 1);
        else
            carries = ComesFromLinear(value);
        _order.Add(value);
        return _carries[value] = carries;
    }

    // What a value is made of, where its operator may belong to a rotary embedding.
    private static IReadOnlyList<Value>? PartsOf(Value value) => value.Producer switch
    {
        { Op: "Where" } node => [node.Inputs[1]!, node.Inputs[2]!],
        { Op: "Concat" } node => [.. node.Inputs.OfType<Value>()],
        { } node when Elementwise.Contains(node.Op) => [.. node.Inputs.OfType<Value>()],
        { } node when Moving.Contains(node.Op) || (node.Op == "Gather" && node.Input(1) is { IsConstant: true }) =>
            [node.Inputs[0]!],
        _ => null,
    };

    // Frequencies times positions are a product with a stored matrix of one row.
    private static bool ComesFromLinear(Value value)
    {
        var (open, seen) = (new Stack<Value>([value]), new HashSet<Value>());
        while (open.TryPop(out var at))
        {
            if (!seen.Add(at) || at.Producer is not { } node || node.Op is "Shape" or "Size") continue;
            if (seen.Count > Farthest || LinearLayer.StartingAt(node) is { In: > 1 }) return true;
            foreach (var input in node.Inputs.OfType<Value>()) open.Push(input);
        }
        return false;
    }

    private sealed record RotaryPattern : Pattern
    {
        public override IEnumerable<Bindings> Match(Value value, Bindings bound)
        {
            if (Of(value) is not { } region)
            {
                bound.Missed(Kind, value);
                return [];
            }
            var (source, passed, stop) = region.Back();
            if (source is not null) return bound.With("X", source) is { } with ? [with] : [];
            for (var i = 0; i < passed; i++) bound = bound.Deeper();
            bound.Missed(Kind, stop);
            return [];
        }
    }
}
