using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training;

/// <summary>What was measured; the JSON of <c>lorta evaluate</c>.</summary>
/// <param name="Loss">Mean loss over all labels.</param>
/// <param name="Metrics">The task's metrics.</param>
/// <param name="Samples">Number of rows that were measured.</param>
/// <param name="Data">What became of the validation file's entries.</param>
public sealed record EvaluationReport(double Loss, IReadOnlyDictionary<string, double> Metrics, int Samples, DataCounts Data);
