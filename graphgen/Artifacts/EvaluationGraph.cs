using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>A graph that measures a model: batch in; loss and logits out.</summary>
/// <param name="Model">The graph.</param>
/// <param name="Logits">The output that the loss is made of, which metrics read; null where the model computes the loss itself.</param>
/// <param name="Batches">Which batches it takes.</param>
internal sealed record EvaluationGraph(OnnxModel Model, string? Logits, BatchRuns Batches)
{
    /// <summary>How many classes the logits distinguish, where their shape says it.</summary>
    public int? Classes => Logits is null ? null : (int?)Model.Graph.Find(Logits)?.Shape?[-1].Value;

    /// <summary>Adds a task's loss to a model as it is; its attention need not be understood.</summary>
    /// <param name="canonical">The training copy of the model; it is not changed.</param>
    /// <param name="task">The task.</param>
    /// <param name="output">Of the task <c>loss</c>: the model's output that is the loss.</param>
    /// <param name="catalog">Losses to choose from.</param>
    /// <exception cref="LortaException">LRT5xx: a model without the outputs that the task needs.</exception>
    public static EvaluationGraph Of(CanonicalModel canonical, string task, string? output, LortaCatalog catalog)
    {
        var model = canonical.Model.Clone();
        var tape = new Tape(model.Graph);
        using var scope = tape.Scope("loss");
        var loss = catalog.LossOf(task);
        return Finished(model, BatchRuns.Of(canonical, loss), loss.Write(tape, output));
    }

    /// <summary>Adds an adapter and a task's loss to a model.</summary>
    /// <param name="model">The model, whose training copy is changed.</param>
    /// <param name="options">The adapter, with its values, and the task.</param>
    /// <param name="catalog">Families and losses to choose from.</param>
    /// <returns>The graph, and the values of its inputs for factors and trained parameters.</returns>
    /// <exception cref="LortaException">LRT2xx, LRT3xx: the model is not understood, or the adapter does not fit it.</exception>
    public static (EvaluationGraph Graph, IReadOnlyDictionary<string, OnnxTensor> Values) OfAdapted(
        UnderstoodModel model, TrainingOptions options, LortaCatalog catalog)
    {
        var adapter = options.Adapter with { Dropout = 0 };
        var adapted = AdaptedModel.Of(model, adapter, catalog, new(options.Trainables, options.Names));
        var loss = catalog.LossOf(options.Task);
        var graph = Finished(adapted.Canonical.Model, BatchRuns.Of(adapted.Canonical, loss), Write(loss, adapted, options));
        var trained = adapted.Trained(options.Values, options.Seed)
            .Select(tensor => KeyValuePair.Create(tensor.Input.ToString(), tensor.Initial));
        return (graph, adapted.Frozen(options.Values, options.Seed).Concat(trained).ToDictionary(StringComparer.Ordinal));
    }

    /// <summary>Takes the loss, and the input for labels, out of the graph: what is left predicts.</summary>
    public void RemoveLoss()
    {
        Model.Graph.RemoveOutput(Model.Graph.Find(TrainingNames.Loss)!);
        Model.Graph.RemoveUnused();
        Model.Graph.RemoveUnusedInputs();
    }

    /// <summary>Writes a loss.</summary>
    public static LossValue Write(ILoss loss, AdaptedModel adapted, TrainingOptions options)
    {
        using var scope = adapted.Tape.Scope("loss");
        return loss.Write(adapted.Tape, options.Output);
    }

    private static EvaluationGraph Finished(OnnxModel model, BatchRuns batches, LossValue task)
    {
        GraphOutputs.Keep(task.Loss, task.Scores?.Value);
        GraphOutputs.Finish(model.Graph);
        return new EvaluationGraph(model, task.Scores?.Value.Name, batches);
    }
}
