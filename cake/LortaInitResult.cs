namespace Cake.LoRTA;

/// <summary>The result of <c>lorta init</c>.</summary>
public sealed record LortaInitResult
{
    /// <summary>The recipe that was written.</summary>
    public required string Recipe { get; init; }

    /// <summary>What it trains for.</summary>
    public required string Task { get; init; }
}
