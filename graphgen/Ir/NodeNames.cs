namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>The names of a graph's nodes, and how many nodes have each: files repeat them, and leave them out.</summary>
internal sealed class NodeNames
{
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    public void Add(string name) => _counts[name] = _counts.GetValueOrDefault(name) + 1;

    public void Remove(string name)
    {
        if (--_counts[name] == 0) _counts.Remove(name);
    }

    /// <summary>A name that no node has yet: the wanted one or, where taken, with a number behind.</summary>
    public string Unique(string wanted)
    {
        var name = wanted;
        for (var suffix = 1; _counts.ContainsKey(name); suffix++) name = $"{wanted}_{suffix}";
        return name;
    }
}
