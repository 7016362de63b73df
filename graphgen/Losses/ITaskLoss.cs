using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>A task: how the model's output and the labels make the loss.</summary>
internal interface ITaskLoss
{
    /// <summary>The name in recipes.</summary>
    string Name { get; }

    /// <summary>Writes the mean loss and adds the graph input <see cref="TaskLosses.Labels"/> where the task has labels.</summary>
    /// <param name="tape">Where to write; the outputs of its graph are the model's, with their shapes inferred.</param>
    /// <param name="output">Name of the output that the loss is of; null: the one that fits.</param>
    /// <returns>The loss, a float scalar, and the output that it is made of, for metrics to read; none where the model computes the loss
    /// itself.</returns>
    /// <exception cref="LortaException">LRT412: no output fits.</exception>
    (Expr Loss, Expr? Logits) Emit(Tape tape, string? output = null);

    /// <summary>How many labels the mean is over.</summary>
    /// <param name="labels">Labels as the graph input takes them.</param>
    long Count(OnnxTensor labels) => labels.ToLongs().LongCount(label => label != TaskLosses.Ignored);
}

/// <summary>The losses of the tasks, by name.</summary>
internal static class TaskLosses
{
    /// <summary>Name of the graph input that takes the labels.</summary>
    public const string Labels = "labels";

    /// <summary>The label of a position that does not count.</summary>
    public const long Ignored = -100;

    /// <summary>All losses, in the order of help and messages.</summary>
    public static readonly IReadOnlyList<ITaskLoss> All =
    [
        new CausalLm(), new TokenClassification("masked-lm"), new Classification(), new Regression(),
        new TokenClassification("token-classification"), new NamedLoss(),
    ];

    /// <summary>The task of a name.</summary>
    /// <exception cref="LortaException">LRT411: there is none.</exception>
    public static ITaskLoss Of(string name) =>
        All.FirstOrDefault(task => task.Name == name) ?? throw LossErrors.UnknownTask(name, All.Select(task => task.Name));

    /// <summary>The model's output that holds the logits: the one asked for, else the one named <c>logits</c>, else the first of floats
    /// that has the rank.</summary>
    internal static Expr Logits(this ITaskLoss task, Tape tape, string? output, int rank)
    {
        var outputs = tape.Graph.Outputs.Where(value => value.Type.IsFloat() && value.Shape?.Rank == rank).ToArray();
        var found = output is not null || tape.Graph.Outputs.Any(value => value.Name == "logits")
            ? outputs.FirstOrDefault(value => value.Name == (output ?? "logits"))
            : outputs.FirstOrDefault();
        return found is null
            ? throw LossErrors.NoOutput(
                tape.Graph, task.Name, $"an output {(output is null ? "of floats" : $"'{output}'")} with {rank} dimensions")
            : tape[found].Cast(ElementType.Float);
    }

    /// <summary>How many labels [B, S] are predicted by the token before them.</summary>
    internal static long CountNextTokens(OnnxTensor labels)
    {
        var (ids, length) = (labels.ToLongs(), labels.Dims[1]);
        return ids.Where((_, i) => i % length > 0).LongCount(label => label != Ignored);
    }

    /// <summary>The graph input for the labels; a model that declares it already keeps it.</summary>
    internal static Expr LabelsInput(Tape tape, ElementType type, Shape shape) =>
        tape[tape.Graph.Find(Labels) is { IsInput: true } given && given.Type == type ? given : tape.Graph.AddInput(Labels, type, shape)];
}
