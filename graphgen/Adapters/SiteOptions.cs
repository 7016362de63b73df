using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Rank or α of some sites, where they differ from the adapter's.</summary>
public sealed record SiteOptions
{
    /// <summary>The sites: <c>layers.0-5.q</c>, <c>layers.*.v</c>, <c>layers.0,2.*</c>. The first entry that fits a site counts.</summary>
    [Description("The sites by layer and matrix, such as layers.0-5.q or layers.*.v; the first entry that fits counts.")]
    public required string Match { get; init; }

    /// <summary>Rank r of these sites; 0 leaves them out; null = the adapter's.</summary>
    [Range(0, int.MaxValue), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Description("Rank of these sites; 0 leaves them out. Default: the adapter's.")]
    public int? Rank { get; init; }

    /// <summary>Numerator α of their scale; null = the adapter's.</summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Description("Numerator of their scale. Default: the adapter's.")]
    public double? Alpha { get; init; }

    /// <summary>Whether a site is meant: <c>layers.</c>, its number, a dot, and the name of the place.</summary>
    internal bool Fits(int layer, string target) =>
        Match.Split('.') is ["layers", var layers, var matrix]
        && (layers == "*" || (LayerChoice.TryParse(layers, out var choice) && choice.Indices?.Contains(layer) != false))
        && (matrix == "*" || matrix == target);

    /// <summary>What is wrong with an entry whatever the model; null = nothing.</summary>
    internal string? Problem() => this switch
    {
        { Match: null } => "match is missing",
        _ when Match.Split('.') is not ["layers", var layers, _] || (layers != "*" && !LayerChoice.TryParse(layers, out _)) =>
            $"match must have the form layers.0-5.q, was '{Match}'",
        { Rank: null, Alpha: null } => "must state a rank or an alpha",
        { Rank: < 0 } => string.Create(CultureInfo.InvariantCulture, $"rank must be >= 0, was {Rank}"),
        { Alpha: not (null or > 0) } => string.Create(CultureInfo.InvariantCulture, $"alpha must be > 0, was {Alpha}"),
        _ => null,
    };
}
