namespace Cake.LoRTA;

/// <summary>The result of <c>lorta gradcheck</c>.</summary>
public sealed record LortaGradcheckResult
{
    /// <summary>The loss.</summary>
    public required double Loss { get; init; }

    /// <summary>Central differences: how well the loss could be measured.</summary>
    public double? LossNoise { get; init; }

    /// <summary>Golden file: how far the loss is from it.</summary>
    public double? LossRelDiff { get; init; }

    /// <summary>Largest relative difference of a gradient.</summary>
    public required double MaxGradRelDiff { get; init; }

    /// <summary>Golden file: largest relative difference of a ΔW; null where it holds none.</summary>
    public double? MaxDeltaRelDiff { get; init; }

    /// <summary>Golden file: largest relative difference after optimizer steps; null where it holds none.</summary>
    public double? MaxAfterRelDiff { get; init; }

    /// <summary>Central differences: largest difference that passes.</summary>
    public double? Tolerance { get; init; }

    /// <summary>Each trained tensor.</summary>
    public required IReadOnlyList<LortaFactorCheck> Factors { get; init; }

    /// <summary>Central differences: <c>ok</c>, <c>wrong</c> or <c>unresolved</c> (they could not be measured well enough to
    /// tell).</summary>
    public string? Verdict { get; init; }

    /// <summary>Whether the gradients are right.</summary>
    public required bool Ok { get; init; }
}

/// <summary>How the gradient of one trained tensor compares.</summary>
public sealed record LortaFactorCheck
{
    /// <summary>The tensor.</summary>
    public required string Name { get; init; }

    /// <summary>Relative difference of its gradient.</summary>
    public required double GradRelDiff { get; init; }

    /// <summary>Golden file: relative difference after optimizer steps; null where nothing is compared.</summary>
    public double? AfterRelDiff { get; init; }

    /// <summary>Central differences: derived gradient along the direction.</summary>
    public double? Derived { get; init; }

    /// <summary>Central differences: measured gradient along the direction.</summary>
    public double? Measured { get; init; }

    /// <summary>Central differences: how far the two may differ although both are right.</summary>
    public double? Uncertainty { get; init; }

    /// <summary>Central differences: <c>ok</c>, <c>wrong</c> or <c>unresolved</c>.</summary>
    public string? Verdict { get; init; }

    /// <summary>Why it is unresolved; null where it is not.</summary>
    public string? Reason { get; init; }
}
