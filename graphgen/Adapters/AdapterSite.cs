namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A linear layer that an adapter changes, as numbers: y = x·W, W [in, out].</summary>
/// <param name="Layer">Index in the model.</param>
/// <param name="Matrix">q, k, v, p (the attention's output projection), gate, up or down.</param>
public sealed record AdapterSite(int Layer, string Matrix)
{
    /// <summary>The name of the place in the family's targets; that of the matrix, unless the family calls it something else.</summary>
    public string Target { get; init; } = Matrix;

    /// <summary>Canonical address, the same whichever exporter wrote the file: <c>layers.3.q</c>.</summary>
    public string Address => $"layers.{Layer}.{Matrix}";

    /// <summary>What the names of its factors start with: <c>layers.3.q</c> of <c>layers.3.q.A</c>.</summary>
    public string Key => $"layers.{Layer}.{Target}";

    /// <summary>Rank r.</summary>
    public int Rank { get; init; }

    /// <summary>Its scale as a multiple of the adapter's; 1 unless rank or α are its own.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>Input width.</summary>
    public required int In { get; init; }

    /// <summary>Output width.</summary>
    public required int Out { get; init; }

    /// <summary>Heads of a matrix of attention; fewer than query heads for keys and values under grouped queries. Null for
    /// others.</summary>
    public required int? Heads { get; init; }
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

    /// <summary>Whether keys carry a rotary embedding; null where that is not known.</summary>
    public bool? HasRotatedKeys { get; init; }

    /// <summary>Adapted layers by their index in the model, in ascending order.</summary>
    public required IReadOnlyList<int> Layers { get; init; }

    /// <summary>Adapted places in the order of the options, groups written out.</summary>
    public required IReadOnlyList<string> Targets { get; init; }

    /// <summary>All sites, layer by layer.</summary>
    public required IReadOnlyList<AdapterSite> All { get; init; }

    /// <summary>The largest input width of all sites; factors that they share are sized by it.</summary>
    public int MaxIn => All.Max(site => site.In);

    /// <summary>The largest output width of all sites.</summary>
    public int MaxOut => All.Max(site => site.Out);

    /// <summary>The place of a site among all.</summary>
    public int IndexOf(AdapterSite site) => All.Index().First(item => item.Item == site).Index;
}
