using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>A family that this project does not have: y∘(1 + s·g) with one vector g [out] for each layer, all that a user writes.</summary>
// page
internal sealed class Gain(AdapterOptions options) : IAdapterFamily
{
    private static readonly FamilyOption Strength = FamilyOption.Number("strength", "How strong the gain is.", byDefault: 1);

    public static AdapterFamilyEntry Entry { get; } = new("gain", [Strength], options => new Gain(options));

    public string Method => "gain";

    public double Scale => options.NumberOf(Strength);

    public bool HasDropout => false;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
        [.. sites.All.Select(site => new Factor($"{site.Key}.g", [site.Out], Init.Zero))];

    public Expr Emit(AdapterPoint at, FactorSet f) => at.Y * Factor(at.Site, f);

    /// <summary>W′ = W·diag(1 + s·g), b′ = b∘(1 + s·g).</summary>
    public (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet f) =>
        (weight * Factor(site, f), bias * Factor(site, f));

    private static Expr Factor(AdapterSite site, FactorSet f) => 1 + (f.Scale * f[site, "g"]);
}
// end
