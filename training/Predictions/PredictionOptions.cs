using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Predictions;

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

    /// <summary>Files that the output must not replace.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];
}

/// <summary>The JSON of <c>lorta predict</c>.</summary>
/// <param name="Rows">Rows of the output, one for each of the input.</param>
/// <param name="Output">The file.</param>
/// <param name="Task">What was predicted.</param>
/// <param name="Data">What became of the input's rows.</param>
public sealed record PredictionReport(int Rows, string Output, string Task, DataCounts Data);
