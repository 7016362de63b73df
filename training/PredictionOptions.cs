namespace LoRTA.Onnx.Training;

/// <summary>What predicts, the rows, and where the predictions go.</summary>
public sealed record PredictionOptions : EvaluationOptions
{
    /// <summary>The file of rows; of <see cref="ReadContent"/>, what messages call it.</summary>
    public required string Input { get; init; }

    /// <summary>Reads the rows, where they come from no file; called when everything else is in order.</summary>
    public Func<byte[]>? ReadContent { get; init; }

    /// <summary>The format of the rows; null = by the file's extension, else the recipe's, else TSV.</summary>
    public string? Format { get; init; }

    /// <summary>The file that is written: JSONL or CSV where its extension says so, else TSV.</summary>
    public required string Output { get; init; }

    /// <summary>Whether an existing output may be replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Further files that the output must not replace; what is read for the predictions is never replaced.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];
}
