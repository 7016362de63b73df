using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>IA3: the outputs of k and v, bias included, and the input of the MLP's last layer are multiplied by trained vectors l, feature
/// by feature (Liu et al. 2022).</summary>
internal sealed class Ia3 : IAdapterFamily
{
    private const string Input = "ffn";   // the only place whose input is scaled

    public string Method => "ia3";

    public string Formula => "k∘l and v∘l, and x∘l in front of the MLP's last layer, with vectors l; no rank";

    public bool HasRank => false;

    public bool HasDropout => false;

    public FamilyTargets Targets { get; } = FamilyTargets.Of(new("k", "k"), new("v", "v"), new(Input, "down"));

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
        [.. sites.All.Select(site => new Factor($"{site.Key}.scale", [ScalesInput(site) ? site.In : site.Out], Init.Constant(1)))];

    /// <summary>y∘l; of the MLP (x∘l)·W + b.</summary>
    public Expr Emit(AdapterPoint at, FactorSet f) =>
        ScalesInput(at.Site) ? at.Replace(at.RawX * Gain(at.Site, f)) : at.Y * Gain(at.Site, f);

    /// <summary>Columns of W and b times l; of the MLP rows of W.</summary>
    public (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet f) =>
        ScalesInput(site) ? (weight * Gain(site, f).Unsqueeze(1), bias) : (weight * Gain(site, f), bias * Gain(site, f));

    private static bool ScalesInput(AdapterSite site) => site.Target == Input;

    // 1 + t·(l − 1): exactly 1 where the adapter is off.
    private static Expr Gain(AdapterSite site, FactorSet f) => 1 + (f.Switch * (f[site, "scale"] - 1));
}
