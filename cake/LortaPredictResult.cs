namespace Cake.LoRTA;

/// <summary>The result of <c>lorta predict</c>.</summary>
public sealed record LortaPredictResult
{
    /// <summary>Rows that were written.</summary>
    public required int Rows { get; init; }

    /// <summary>The file of the predictions.</summary>
    public required string Output { get; init; }

    /// <summary>What was predicted, for instance <c>classification</c>.</summary>
    public required string Task { get; init; }

    /// <summary>What became of the input's entries.</summary>
    public required LortaDataCounts Data { get; init; }
}
