using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Measures loss and metrics on a set, as the mean over all its labels.</summary>
/// <param name="loss">The loss.</param>
/// <param name="output">The output that metrics read: class scores, or the likeliest class or token at each place; null where the model
/// gives its loss only.</param>
internal sealed class Evaluator(ILoss loss, string? output)
{
    /// <summary>The output that metrics read; null where the model gives its loss only.</summary>
    public string? Output => output;

    /// <summary>An evaluator of a graph, which must be made before the graph's session is opened.</summary>
    /// <param name="graph">The graph, which knows the loss; one that scores tokens gets an output with the likeliest in place of the
    /// scores.</param>
    /// <exception cref="InvalidOperationException">The loss names metrics, but gives no scores for them.</exception>
    public static Evaluator Of(EvaluationGraph graph)
    {
        var loss = graph.Batches.Loss!;
        if (graph.Logits is null && loss.Metrics.Count > 0)
            throw new InvalidOperationException($"The loss '{loss.Name}' asks for {string.Join(", ", loss.Metrics)}, but gives no scores.");
        return new(loss, OutputOf(graph));
    }

    /// <summary>Runs a set through the runtime's evaluation graph.</summary>
    /// <param name="runtime">The runtime.</param>
    /// <param name="batches">The set.</param>
    /// <param name="step">The step that it is after.</param>
    /// <param name="progress">Told how many rows are done.</param>
    /// <param name="rows">How many there are, for <paramref name="progress"/>.</param>
    /// <exception cref="LortaException">LRT603: no label of the set counts.</exception>
    public EvaluationEvent Evaluate(
        IForwardRuntime runtime, IEnumerable<Batch> batches, long step, IProgress<WorkProgress>? progress = null, int rows = 0)
    {
        var metrics = new TaskMetrics(TrainingTasks.Of(loss));
        var done = 0L;
        foreach (var batch in batches)
        {
            if (batch.LabelsFor(loss) is > 0 and var count)
            {
                var outputs = runtime.Forward(batch);
                metrics.AddLoss(outputs[TrainingNames.Loss].ToFloats()[0], count);
                if (output is not null && batch.Inputs.GetValueOrDefault(TrainingNames.Labels) is { } labels)
                    metrics.Add(outputs[output], labels);
            }
            progress?.Report(new("rows evaluated", done += batch.Rows, rows));
        }
        if (metrics.Count == 0) throw TrainingErrors.NothingMeasured();
        return new EvaluationEvent { Step = step, Loss = metrics.Loss, Metrics = metrics.Values };
    }

    // Of scores as wide as a vocabulary only the likeliest token leaves the runtime.
    private static string? OutputOf(EvaluationGraph evaluation)
    {
        var (graph, logits) = (evaluation.Model.Graph, evaluation.Logits);
        if (logits is null || graph.Find(logits) is not { } scores) return logits;
        graph.RemoveOutput(scores);
        return GraphOutputs.AddMeasured(new Tape(graph), scores);
    }
}
