namespace Cake.LoRTA;

/// <summary>What became of a file's entries.</summary>
public sealed record LortaDataCounts
{
    /// <summary>Entries read, before any is dropped.</summary>
    public required int Rows { get; init; }

    /// <summary>Entries that lost tokens to the longest length.</summary>
    public required int Cut { get; init; }

    /// <summary>Tokens lost that way.</summary>
    public required long TokensCut { get; init; }

    /// <summary>Entries dropped because they have no label.</summary>
    public required int WithoutLabel { get; init; }

    /// <summary>Blank and null texts.</summary>
    public required int Empty { get; init; }
}
