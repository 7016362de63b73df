namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A linear layer that an adapter changes, as numbers: y = x·W, W [in, out].</summary>
/// <param name="Layer">Index in the model.</param>
/// <param name="Matrix">q, k, v or p (the attention's output projection).</param>
public sealed record AdapterSite(int Layer, string Matrix)
{
    /// <summary>Canonical address, the same whichever exporter wrote the file: <c>layers.3.q</c>.</summary>
    public string Address => $"layers.{Layer}.{Matrix}";

    /// <summary>Input width.</summary>
    public required int In { get; init; }

    /// <summary>Output width.</summary>
    public required int Out { get; init; }

    /// <summary>Heads of this matrix; fewer than query heads for keys and values under grouped queries.</summary>
    public required int Heads { get; init; }
}

/// <summary>The sites of an adapter and the sizes that they share.</summary>
public sealed record AdapterSites
{
    /// <summary>Model width d.</summary>
    public required int Width { get; init; }

    /// <summary>Query heads H.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads; H without grouped queries.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Width d_H of one head.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>Adapted layers by their index in the model, in ascending order.</summary>
    public required IReadOnlyList<int> Layers { get; init; }

    /// <summary>Adapted matrices in the order of the options.</summary>
    public required IReadOnlyList<string> Targets { get; init; }

    /// <summary>All sites, layer by layer.</summary>
    public required IReadOnlyList<AdapterSite> All { get; init; }
}
