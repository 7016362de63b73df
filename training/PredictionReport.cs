using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training;

/// <summary>What was predicted; the JSON of <c>lorta predict</c>.</summary>
/// <param name="Rows">Rows of the output, one for each of the input.</param>
/// <param name="Output">The file.</param>
/// <param name="Task">What was predicted.</param>
/// <param name="Data">What became of the input's rows.</param>
public sealed record PredictionReport(int Rows, string Output, string Task, DataCounts Data);
