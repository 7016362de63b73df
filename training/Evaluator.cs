using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Metrics;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training;

/// <summary>Measures loss and metrics on a set, as the mean over all its labels.</summary>
/// <param name="task">The task.</param>
/// <param name="data">The set.</param>
/// <param name="logits">The output that metrics read; null where the model gives its loss only.</param>
internal sealed class Evaluator(string task, DataStream data, string? logits)
{
    /// <summary>Runs the set through the runtime's evaluation graph.</summary>
    public EvaluationRecord Evaluate(ITrainingRuntime runtime, long step)
    {
        var metrics = new TaskMetrics(task);
        foreach (var batch in data.InOrder().Prefetch(2).Where(batch => batch.Labels > 0))
        {
            var outputs = runtime.Forward(batch);
            metrics.AddLoss(outputs[TrainingNames.Loss].ToFloats()[0], batch.Labels);
            if (logits is not null) metrics.Add(outputs[logits], batch.Inputs[TrainingNames.Labels]);
        }
        return new EvaluationRecord { Step = step, Loss = metrics.Loss, Metrics = metrics.Values };
    }
}
