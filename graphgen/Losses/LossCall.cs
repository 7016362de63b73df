using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>A model as a loss meets it: its outputs, and a place for the labels.</summary>
/// <param name="tape">Where it writes; the outputs of its graph are the model's, with their shapes inferred.</param>
/// <param name="loss">Name of the loss, for messages.</param>
/// <param name="output">Name of the output that was asked for; null: the one that fits.</param>
public sealed class LossCall(Tape tape, string loss, string? output)
{
    /// <summary>Where the loss is written, for constants.</summary>
    public Tape Tape => tape;

    /// <summary>Name of the output that was asked for; null: the one that fits.</summary>
    public string? AskedOutput => output;

    /// <summary>Rows of a batch: the first dimension of the model's first output.</summary>
    public Dim Batch => tape.Graph.Outputs[0].Shape![0];

    /// <summary>An output of floats, as float32: the one named here or else asked for, else <c>logits</c>, else the first that has the
    /// rank.</summary>
    /// <param name="name">Its name; null: as above.</param>
    /// <param name="rank">Its number of dimensions.</param>
    /// <exception cref="LortaException">LRT412: no output fits.</exception>
    public Expr Output(string? name, int rank)
    {
        name ??= output;
        var outputs = tape.Graph.Outputs.Where(value => value.Type.IsFloat() && value.Shape?.Rank == rank).ToArray();
        var found = name is not null || tape.Graph.Outputs.Any(value => value.Name == "logits")
            ? outputs.FirstOrDefault(value => value.Name == (name ?? "logits"))
            : outputs.FirstOrDefault();
        return found is null
            ? throw LossErrors.NoOutput(
                tape.Graph, loss, $"an output {(name is null ? "of floats" : $"'{name}'")} with {rank} dimensions")
            : tape[found].Cast(ElementType.Float);
    }

    /// <summary>A graph input; one of this name and type that the model declares already is used.</summary>
    public Expr Input(string name, ElementType type, Shape shape) =>
        tape[tape.Graph.Find(name) is { IsInput: true } given && given.Type == type ? given : tape.Graph.AddInput(name, type, shape)];

    /// <summary>The graph input <c>labels</c>.</summary>
    public Expr Labels(ElementType type, Shape shape) => Input(TaskLosses.Labels, type, shape);
}
