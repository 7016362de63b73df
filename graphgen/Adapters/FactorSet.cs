using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>The factors of an adapter as expressions of the graph that is written, and its scale.</summary>
public sealed class FactorSet
{
    private readonly IReadOnlyDictionary<string, Expr> _factors;

    internal FactorSet(IReadOnlyDictionary<string, Expr> factors, Expr scale, AdapterSites sites) =>
        (_factors, Scale, Sites) = (factors, scale, sites);

    /// <summary>The number that every update is multiplied by; a graph input, 0 = adapter off.</summary>
    public Expr Scale { get; }

    /// <summary>The sites of the adapter.</summary>
    public AdapterSites Sites { get; }

    /// <summary>A factor by name.</summary>
    public Expr this[string name] => _factors[name];

    /// <summary>A factor of one site.</summary>
    public Expr this[AdapterSite site, string name] => _factors[$"{site.Address}.{name}"];
}
