using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>A graph that measures a model: batch in; loss and logits out.</summary>
/// <param name="Model">The graph.</param>
/// <param name="Logits">The output that the loss is made of, which metrics read; null where the model computes the loss itself.</param>
internal sealed record EvaluationGraph(Model Model, string? Logits)
{
    /// <summary>How many classes the logits tell apart, where their shape says it.</summary>
    public int? Classes => Logits is null ? null : (int?)Model.Graph.Find(Logits)?.Shape?[-1].Value;

    /// <summary>Adds a task's loss to a model as it is; its attention need not be understood.</summary>
    /// <param name="deployed">The model; it is not changed.</param>
    /// <param name="task">The task.</param>
    /// <param name="output">Of the task <c>loss</c>: the model's output that is the loss.</param>
    /// <exception cref="LortaException">LRT203, LRT5xx: an operator that has no canonical form, or a model without the outputs that the task needs.</exception>
    public static EvaluationGraph Of(Model deployed, string task, string? output)
    {
        var model = CanonicalModel.Of(deployed).Model;
        var tape = new Tape(model.Graph);
        using var scope = tape.Scope("loss");
        var (loss, logits) = TaskLosses.Of(task).Emit(tape, output);
        GraphOutputs.Keep(loss, logits?.Value);
        GraphOutputs.Finish(model.Graph);
        return new EvaluationGraph(model, logits?.Value.Name);
    }
}
