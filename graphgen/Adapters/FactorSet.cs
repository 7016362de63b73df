using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>The factors of an adapter as expressions of the graph that is written, and its scale.</summary>
public sealed class FactorSet
{
    private readonly IReadOnlyDictionary<string, Expr> _factors;
    private readonly AdapterPlan _plan;

    internal FactorSet(IReadOnlyDictionary<string, Expr> factors, Expr scale, AdapterPlan plan)
    {
        _factors = factors;
        Scale = scale;
        _plan = plan;
    }

    /// <summary>The number that every update is multiplied by; a graph input, 0 = adapter off.</summary>
    public Expr Scale { get; }

    /// <summary>The scale of a site, whose rank or α may be its own.</summary>
    public Expr ScaleOf(AdapterSite site) => Scale.Scaled(site.Strength);

    /// <summary>t = scale / its default: 0 = adapter off, 1 = on.</summary>
    public Expr Switch => Scale.Scaled(1 / _plan.Family.Scale);

    /// <summary>The sites of the adapter.</summary>
    public AdapterSites Sites => _plan.Sites;

    /// <summary>A factor by name.</summary>
    public Expr this[string name] => _factors[name];

    /// <summary>A factor of one site.</summary>
    public Expr this[AdapterSite site, string name] => _factors[$"{site.Key}.{name}"];

    /// <summary>The leading rows of a factor that all sites share: it is sized by the largest of them.</summary>
    /// <param name="name">Name of the factor, [largest, ..].</param>
    /// <param name="rows">How many rows a site takes.</param>
    public Expr Leading(string name, int rows) => this[name].Leading(rows, axis: 0);

    /// <summary>off + t·(on − off): exactly <paramref name="off"/> where the adapter is off.</summary>
    public Expr Between(Expr off, Expr on) => off + ((on - off) * Switch);
}
