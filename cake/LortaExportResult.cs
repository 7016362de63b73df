namespace Cake.LoRTA;

/// <summary>The result of <c>lorta export</c>.</summary>
public sealed record LortaExportResult
{
    /// <summary>The file of the folded model.</summary>
    public required string Output { get; init; }

    /// <summary>Largest |a − b| between base with adapter and the result; null where nothing was compared.</summary>
    public double? MaxAbsDiff { get; init; }

    /// <summary>The same relative to the largest |a|.</summary>
    public double? MaxRelDiff { get; init; }

    /// <summary>Bytes of the model and its data file.</summary>
    public required long BytesWritten { get; init; }

    /// <summary>How folded weights were rounded to the type in which the file stores them; null where they were not.</summary>
    public LortaRounding? Rounding { get; init; }

    /// <summary>Share of the adapter's effect that weights of 8 bits or fewer keep; null elsewhere.</summary>
    public double? EffectKept { get; init; }

    /// <summary>Whether the comparison passed; null where nothing was compared.</summary>
    public bool? Ok { get; init; }

    /// <summary>What to know about it, in a sentence.</summary>
    public string? Note { get; init; }

    /// <summary>Losses on the validation data of <see cref="LortaExportSettings.Data"/>; null without them.</summary>
    public LortaExportLosses? Loss { get; init; }
}

/// <summary>How weights were rounded.</summary>
public sealed record LortaRounding
{
    /// <summary>The stored type.</summary>
    public required string Type { get; init; }

    /// <summary>Its bits.</summary>
    public required int Bits { get; init; }

    /// <summary>Weights that were rounded.</summary>
    public required int Weights { get; init; }

    /// <summary>Largest |rounded − exact|.</summary>
    public required double MaxAbs { get; init; }

    /// <summary>The same relative to the largest weight.</summary>
    public required double MaxRel { get; init; }
}

/// <summary>Losses on the same data.</summary>
public sealed record LortaExportLosses
{
    /// <summary>Of base and adapter.</summary>
    public required double Adapted { get; init; }

    /// <summary>Of the exported model.</summary>
    public required double Exported { get; init; }
}
