namespace Cake.LoRTA;

/// <summary>An adapter family in the result of <c>lorta methods</c>.</summary>
public sealed record LortaMethod
{
    /// <summary>Its name.</summary>
    public required string Method { get; init; }

    /// <summary>How many numbers it trains; null where the given sizes are not enough.</summary>
    public long? Trainable { get; init; }

    /// <summary>Whether it folds into the weights.</summary>
    public required bool Foldable { get; init; }

    /// <summary>Why it cannot be counted or folded; null where it can.</summary>
    public string? Reason { get; init; }

    /// <summary>What it does to a layer.</summary>
    public required string Formula { get; init; }

    /// <summary>How many numbers it trains at several ranks.</summary>
    public required IReadOnlyList<LortaRankCount> Counts { get; init; }

    /// <summary>What its count must be read with; null = nothing.</summary>
    public string? Remark { get; init; }

    /// <summary>What one tensor of LoRTA may span; empty for other families.</summary>
    public required IReadOnlyList<LortaShare> Shares { get; init; }

    /// <summary>Its numbers as percent of those of the model; null without a model.</summary>
    public double? PercentOfModel { get; init; }

    /// <summary>Bytes of its values in an adapter file.</summary>
    public long? AdapterBytes { get; init; }
}

/// <summary>How much a family trains at a rank.</summary>
public sealed record LortaRankCount
{
    /// <summary>The rank.</summary>
    public required int Rank { get; init; }

    /// <summary>Numbers; null where the family does not take this rank.</summary>
    public long? Trainable { get; init; }
}

/// <summary>LoRTA with one of its ways of sharing.</summary>
public sealed record LortaShare
{
    /// <summary>What one tensor spans.</summary>
    public required string Share { get; init; }

    /// <summary>How many numbers it trains.</summary>
    public required long Trainable { get; init; }

    /// <summary>The share of LoRA's numbers that it saves, from 0 to 1.</summary>
    public required double Saving { get; init; }
}
