namespace LoRTA.Onnx.Export;

/// <summary>How far two models are apart.</summary>
/// <param name="MaxAbsDiff">Largest |a − b|.</param>
/// <param name="MaxRelDiff">Largest |a − b| / largest |a|; what the tolerance is compared with.</param>
/// <param name="DeployedMaxAbsDiff">Largest |a − b| of the files as they are deployed.</param>
/// <param name="Tolerance">The tolerance.</param>
/// <param name="EffectKept">Of an adapter folded into weights of 8 bits or fewer: 1 − ‖folded − adapted‖ / ‖adapted − base‖ on the
/// logits; null elsewhere, and where the adapter changes nothing.</param>
/// <param name="Ok">Whether the relative difference is within the tolerance, or where <paramref name="EffectKept"/> decides, whether half
/// of the effect is kept.</param>
public sealed record VerifyResult(double MaxAbsDiff, double MaxRelDiff, double DeployedMaxAbsDiff, double Tolerance, double? EffectKept,
    bool Ok)
{
    /// <summary>The share of an adapter's effect that a low-bit file must keep.</summary>
    public const double LeastEffect = 0.5;

    /// <summary>Of a model that is being folded: what <see cref="EffectKept"/> would be if every number went to the nearest code.</summary>
    internal double? EffectNearest { get; init; }
}
