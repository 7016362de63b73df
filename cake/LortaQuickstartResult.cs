namespace Cake.LoRTA;

/// <summary>The result of <c>lorta quickstart</c>.</summary>
public sealed record LortaQuickstartResult
{
    /// <summary>Loss of the bundled model.</summary>
    public required double LossBefore { get; init; }

    /// <summary>Loss with the adapter; null where the training was stopped before.</summary>
    public double? LossAfter { get; init; }

    /// <summary>Largest |a − b| between base with adapter and the folded model.</summary>
    public required double MaxAbsDiff { get; init; }

    /// <summary>The same relative to the largest |a|.</summary>
    public required double MaxRelDiff { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long Trainable { get; init; }

    /// <summary>The folded model.</summary>
    public required string Output { get; init; }

    /// <summary>The adapter folder.</summary>
    public required string Adapter { get; init; }

    /// <summary>The report of the run.</summary>
    public required string Report { get; init; }

    /// <summary>A text of the bundled model.</summary>
    public required string SampleBefore { get; init; }

    /// <summary>The same beginning continued with the adapter.</summary>
    public required string SampleAfter { get; init; }

    /// <summary>Commands to try next.</summary>
    public required IReadOnlyList<string> Next { get; init; }
}
