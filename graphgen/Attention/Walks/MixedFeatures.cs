using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>Which elements of one value the elements of others are made of, followed through sums, joins and moves of axes.</summary>
internal sealed class MixedFeatures
{
    private readonly List<int[]> _sets = [];   // elements of the source, ascending
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<(int, int), int> _unions = [];

    private MixedFeatures()
    {
    }

    /// <summary>Sends the features of a value along what is made of it.</summary>
    /// <param name="values">The value itself, then what is made of it with what it is made of, in the order of the data; the last one is
    /// the result.</param>
    /// <param name="source">Where the features are at the first value.</param>
    /// <returns>Where they are at the last value; null where that cannot be said.</returns>
    public static FeatureFlow? Along(IEnumerable<(Value Value, IReadOnlyList<Value> Data)> values, FeatureFlow source)
    {
        var mixed = new MixedFeatures();
        var grids = new Dictionary<Value, FeatureFlow>();
        FeatureFlow? last = null;
        foreach (var (value, data) in values)
        {
            last = data is []
                ? new FeatureFlow(source.Axes, [.. Enumerable.Range(0, source.Features.Length).Select(i => mixed.NumberOf([i]))], [])
                : mixed.Next(value, [.. data.Select(part => grids[part])]);
            if (last is null) return null;
            grids[value] = last;
        }
        return last is null ? null : mixed.Told(last, source);
    }

    private FeatureFlow? Next(Value value, FeatureFlow[] data) => value.Producer!.Op switch
    {
        "Transpose" => FeatureFlow.Transpose(data[0], value),
        "Reshape" or "Squeeze" or "Unsqueeze" => FeatureFlow.Reshape(data[0], value),
        "Split" or "Slice" or "Gather" => FeatureFlow.Choose(data[0], value),
        "Concat" => FeatureFlow.Join(data, value),
        _ => Together(data, value),
    };

    // Element by element: what is made of two has the elements of both.
    private FeatureFlow? Together(FeatureFlow[] data, Value value)
    {
        var sum = data[0];
        foreach (var other in data[1..])
        {
            if (!sum.HasAxesOf(other)) return null;
            sum = new FeatureFlow(sum.Axes, [.. sum.Features.Zip(other.Features, Union)], []);
        }
        return FeatureFlow.Keep(sum, value);
    }

    // Of elements that are made of the same ones, the first has the first one for its own, and so on.
    private FeatureFlow? Told(FeatureFlow result, FeatureFlow source)
    {
        var features = new int[result.Features.Length];
        var together = source.Together.ToList();
        foreach (var group in result.Features.Index().GroupBy(item => item.Item, item => item.Index))
        {
            var members = _sets[group.Key];
            if (group.Count() != members.Length) return null;
            foreach (var (position, member) in group.Zip(members)) features[position] = source.Features[member];
            if (members.Length > 1) together.Add([.. members.Select(member => source.Features[member])]);
        }
        return new FeatureFlow(result.Axes, features, together);
    }

    private int Union(int a, int b)
    {
        if (a == b) return a;
        if (!_unions.TryGetValue((a, b), out var union)) _unions[(a, b)] = union = NumberOf([.. _sets[a].Union(_sets[b]).Order()]);
        return union;
    }

    private int NumberOf(int[] set)
    {
        var key = string.Join(',', set);
        if (_numbers.TryGetValue(key, out var number)) return number;
        _sets.Add(set);
        return _numbers[key] = _sets.Count - 1;
    }
}
