using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Patterns;

namespace LoRTA.Onnx.GraphGen;

/// <summary>Everything that a runtime needs to train an adapter: three graphs and the tensors that move.</summary>
public sealed record TrainingGraphs
{
    /// <summary>Builds the training, evaluation and optimizer graphs.</summary>
    /// <param name="model">The model as its exporter wrote it; it is not changed.</param>
    /// <param name="options">What is to be trained.</param>
    /// <param name="catalog">Families, losses and gradient rules to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT2xx … LRT4xx: the model is not understood, options do not fit it, or an operator has no
    /// gradient.</exception>
    public static TrainingGraphs Build(OnnxModel model, TrainingOptions options, LortaCatalog? catalog = null) =>
        Build(UnderstoodModel.Of(model), options, catalog ?? LortaCatalog.Default);

    /// <summary>The same in the training copy of a model that nobody needs otherwise.</summary>
    internal static TrainingGraphs Build(UnderstoodModel model, TrainingOptions options, LortaCatalog catalog) =>
        TrainingGraphBuilder.Build(model, options, catalog);

    /// <summary>Batch and trained tensors in; loss and gradients out.</summary>
    public required OnnxModel Train { get; init; }

    /// <summary>Batch and trained tensors in; loss and the model's outputs out.</summary>
    public required OnnxModel Eval { get; init; }

    /// <summary>Trained tensors, their gradients and the optimizer's state in; their new values out.</summary>
    public required OnnxModel Optimizer { get; init; }

    /// <summary>What the optimizer keeps for each trained tensor.</summary>
    public required IReadOnlyList<OptimizerState> OptimizerState { get; init; }

    /// <summary>Learning rate that the schedule scales; groups have it times a factor of theirs.</summary>
    public double LearningRate => Options.LearningRate;

    /// <summary>What the optimizer was made of.</summary>
    public required OptimizerOptions Options { get; init; }

    /// <summary>The tensors that training changes, in a fixed order.</summary>
    public required IReadOnlyList<TrainedTensor> Trained { get; init; }

    /// <summary>Factors that stay as they are, by input.</summary>
    public required IReadOnlyDictionary<string, OnnxTensor> Frozen { get; init; }

    /// <summary>Seed of the first values that were drawn.</summary>
    public required long Seed { get; init; }

    /// <summary>The adapter.</summary>
    public required AdapterPlan Plan { get; init; }

    /// <summary>Parameters of the base model.</summary>
    internal long BaseParameters { get; init; }

    /// <summary>The model, as the adapter's file describes it.</summary>
    public required BaseModel Base { get; init; }

    /// <summary>The task, which names the loss.</summary>
    public required string Task { get; init; }

    /// <summary>Names of the classes, in the order of their indices; null = they have none.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>The output that the loss is made of, which metrics read; null where the model computes the loss itself.</summary>
    public required string? Logits { get; init; }

    /// <summary>The graph that measures.</summary>
    internal EvaluationGraph Evaluation => new(Eval, Logits, Batches);

    /// <summary>Which batches the graphs take.</summary>
    internal BatchRuns Batches { get; init; } = BatchRuns.Any;

    /// <summary>What was left out or changed on the way.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>The adapter before the first step.</summary>
    internal Adapter InitialAdapter => AdapterOf(
        Trained.ToDictionary(tensor => tensor.Name, tensor => tensor.Initial, StringComparer.Ordinal));

    /// <summary>The adapter with its tensors as a runtime or a checkpoint holds them.</summary>
    /// <param name="state">Trained tensors by name, among others.</param>
    internal Adapter AdapterOf(IReadOnlyDictionary<string, OnnxTensor> state)
    {
        var tensors = Trained.ToDictionary(tensor => tensor.Name, tensor => state[tensor.Name], StringComparer.Ordinal);
        foreach (var (input, tensor) in Frozen) tensors[TensorName.Parse(input).Name] = tensor;
        var adapter = Adapter.Of(Plan, Base, tensors, Seed);
        var config = adapter.Config with
        {
            Task = Task,
            Labels = Labels,
            Trainables = [.. Trained.Where(tensor => tensor.Input.Kind == TensorKind.Parameter).Select(tensor => tensor.Input.Name)],
        };
        return adapter with { Config = config, Folds = FoldGraph.IsPossible(Plan) };
    }
}
