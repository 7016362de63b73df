namespace Cake.LoRTA;

/// <summary>The result of <c>lorta verify</c>.</summary>
public sealed record LortaVerifyResult
{
    /// <summary>Largest |a − b|.</summary>
    public required double MaxAbsDiff { get; init; }

    /// <summary>Largest |a − b| / largest |a|; what the tolerance is compared with.</summary>
    public required double MaxRelDiff { get; init; }

    /// <summary>Largest |a − b| of the files as they are deployed.</summary>
    public required double DeployedMaxAbsDiff { get; init; }

    /// <summary>The tolerance.</summary>
    public required double Tolerance { get; init; }

    /// <summary>Share of the adapter's effect that weights of 8 bits or fewer keep; null elsewhere.</summary>
    public double? EffectKept { get; init; }

    /// <summary>Whether the comparison passed.</summary>
    public required bool Ok { get; init; }
}
