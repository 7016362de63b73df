using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Measures loss and metrics on a set, as the mean over all its labels.</summary>
/// <param name="task">The task.</param>
/// <param name="data">The set.</param>
/// <param name="output">The output that metrics read; null where the model gives its loss only.</param>
internal sealed class Evaluator(TrainingTask task, DataStream data, string? output)
{
    /// <summary>An evaluator of a graph, which must be made before the graph's session is opened.</summary>
    /// <param name="data">The set.</param>
    /// <param name="graph">The graph, which knows the loss; token tasks get an output in place of the logits.</param>
    public static Evaluator Of(DataStream data, EvaluationGraph graph) =>
        new(TrainingTasks.Of(graph.Batches.Loss!), data, OutputOf(graph));

    /// <summary>The output that predictions are read from; null where the model gives its loss only.</summary>
    /// <remarks>Of logits as wide as a vocabulary only the likeliest token leaves the runtime: they are replaced in the graph.</remarks>
    private static string? OutputOf(EvaluationGraph evaluation)
    {
        var (graph, logits) = (evaluation.Model.Graph, evaluation.Logits);
        if (logits is null || graph.Find(logits) is not { Shape.Rank: 3 } scores) return logits;
        var predictions = new Tape(graph)[scores].Apply("ArgMax", ("axis", -1), ("keepdims", 0)).Value;
        graph.RemoveOutput(scores);
        graph.AddOutput(predictions);
        return predictions.Name;
    }

    /// <summary>The output that metrics read: class scores, or the likeliest token at each place; null where the model gives its loss
    /// only.</summary>
    public string? Output => output;

    /// <summary>Runs the set through the runtime's evaluation graph.</summary>
    /// <param name="runtime">The runtime.</param>
    /// <param name="step">The step that it is after.</param>
    /// <param name="progress">Told how many rows are done.</param>
    public EvaluationRecord Evaluate(IForwardRuntime runtime, long step, IProgress<WorkProgress>? progress = null)
    {
        var metrics = new TaskMetrics(task);
        var done = 0L;
        foreach (var batch in data.InOrder().Prefetch(2))
        {
            if (batch.Labels > 0) Measure(batch);
            progress?.Report(new("rows evaluated", done += batch.Rows, data.Count));
        }
        return new EvaluationRecord { Step = step, Loss = metrics.Loss, Metrics = metrics.Values };

        void Measure(Batch batch)
        {
            var outputs = runtime.Forward(batch);
            metrics.AddLoss(outputs[TrainingNames.Loss].ToFloats()[0], batch.Labels);
            if (output is not null && batch.Inputs.GetValueOrDefault(TrainingNames.Labels) is { } labels)
                metrics.Add(outputs[output], labels);
        }
    }
}
