using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Predictions;

/// <summary>What is predicted.</summary>
internal sealed record PredictionRequest
{
    /// <summary>What predicts: a recipe, its model or another one, an adapter.</summary>
    public required EvaluationRequest Model { get; init; }

    /// <summary>The file of rows; of <see cref="ReadContent"/>, what messages call it.</summary>
    public required string Input { get; init; }

    /// <summary>Reads the rows, where they come from no file; called when everything else is in order.</summary>
    public Func<byte[]>? ReadContent { get; init; }

    /// <summary>The format of the rows; null = by the file's extension, else the recipe's, else TSV.</summary>
    public string? Format { get; init; }

    /// <summary>Whether the recipe was made for a model that came without one, so that the rows decide about their columns.</summary>
    public bool IsBareModel { get; init; }

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
internal sealed record PredictionResult(int Rows, string Output, string Task, DataCounts Data);
