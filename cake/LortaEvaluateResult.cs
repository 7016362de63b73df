namespace Cake.LoRTA;

/// <summary>The result of <c>lorta evaluate</c>.</summary>
public sealed record LortaEvaluateResult
{
    /// <summary>Loss on the validation data.</summary>
    public required double Loss { get; init; }

    /// <summary>Metrics of the task by name, for instance <c>accuracy</c>.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>Rows that were measured.</summary>
    public required int Samples { get; init; }

    /// <summary>What became of the validation file's entries.</summary>
    public required LortaDataCounts Data { get; init; }
}
