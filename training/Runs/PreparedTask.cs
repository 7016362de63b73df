using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>A recipe with everything opened: the model's graphs, the data, the runtime.</summary>
internal sealed class PreparedTask : IDisposable
{
    private readonly Recipe _recipe;

    private PreparedTask(Recipe recipe, (DataStream Train, DataStream? Validation) data, TrainingGraphs graphs, OrtSettings settings)
    {
        _recipe = recipe;
        Data = data;
        Graphs = graphs;
        Evaluator = data.Validation is { } validation ? Evaluator.Of(validation, graphs.Evaluation) : null;
        Plan = RunPlan.Of(recipe.Train, data.Train.BatchesPerEpoch);
        var afterStep = graphs.Plan.Family.AfterStep(graphs.Plan.Sites, Plan.Steps);
        var runtime = settings.Open(graphs, recipe.Adapter.Dropout > 0 ? new DropoutMasks(recipe.Seed, recipe.Adapter.Dropout) : null);
        Runtime = afterStep is null ? runtime : new AfterStepRuntime(runtime, graphs, afterStep);
    }

    /// <summary>What is learned from, and what is measured on.</summary>
    public (DataStream Train, DataStream? Validation) Data { get; }

    /// <summary>The steps of the run.</summary>
    public RunPlan Plan { get; }

    public TrainingGraphs Graphs { get; }

    /// <summary>The model's file, and those of its weights.</summary>
    public required IReadOnlyList<string> ModelFiles { get; init; }

    /// <summary>What in the recipe may not be meant, each with what to do about it.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public ITrainingRuntime Runtime { get; }

    /// <summary>Measures the validation data; null where there are none.</summary>
    public Evaluator? Evaluator { get; }

    /// <summary>Opens a recipe.</summary>
    /// <param name="recipe">The resolved recipe.</param>
    /// <param name="settings">Device, threads and catalog.</param>
    /// <param name="values">Given values of trained tensors; those that are absent start as the recipe says.</param>
    /// <param name="from">The adapter that the recipe continues from; its values go first.</param>
    public static PreparedTask Of(Recipe recipe, OrtSettings settings, IReadOnlyDictionary<string, OnnxTensor>? values = null,
        Adapter? from = null)
    {
        var model = OnnxModel.Load(recipe.Model);
        RowLength.Check(recipe, model);
        var understood = UnderstoodModel.Of(model);
        if (from is not null) values = ValuesOf(from, understood, settings.Catalog);
        var graphs = TrainingGraphBuilder.Build(understood, RecipeMapping.ToOptions(recipe, values), settings.Catalog);
        string?[] warnings = [ClassifierHead.Of(model, recipe.Task).Warning(model, graphs.Trained)];
        return new PreparedTask(recipe, DataOf(recipe, graphs.Evaluation), graphs, settings)
        {
            ModelFiles = model.Files,
            Warnings = [.. warnings.OfType<string>()],
        };
    }

    /// <summary>The values that a run starts at which continues from an adapter.</summary>
    /// <exception cref="GraphGen.LortaException">LRT310, LRT311: an adapter of another model.</exception>
    public static IReadOnlyDictionary<string, OnnxTensor> ValuesOf(
        Adapter from, UnderstoodModel model, LortaCatalog catalog) =>
        from.ValuesFor(BaseModels.PlanOf(model, from, allowOtherWeights: false, catalog));

    /// <summary>Loads the data of a recipe.</summary>
    public static (DataStream Train, DataStream? Validation) DataOf(Recipe recipe, EvaluationGraph graph) =>
        new DataSource(DataContext.Of(recipe, graph)).Load();

    /// <summary>Writes the adapter as the runtime holds it.</summary>
    /// <param name="folder">The adapter folder.</param>
    /// <param name="evaluation">The last evaluation; it is stated where it is of this very state.</param>
    public void SaveAdapter(string folder, EvaluationRecord? evaluation)
    {
        var state = Runtime.State;
        var measured = evaluation?.Step == state.Step ? Measured(evaluation) : [];
        (AdapterOf(Graphs, _recipe, state.Tensors) with { Path = folder, Measured = measured }).Save();
    }

    /// <summary>The adapter of a recipe with its tensors as a runtime or a checkpoint holds them.</summary>
    /// <param name="graphs">The graphs of the recipe.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="state">Trained tensors by name, among others.</param>
    public static Adapter AdapterOf(TrainingGraphs graphs, Recipe recipe, IReadOnlyDictionary<string, OnnxTensor> state)
    {
        var tensors = graphs.Trained.ToDictionary(tensor => tensor.Name, tensor => state[tensor.Name], StringComparer.Ordinal);
        foreach (var (input, tensor) in graphs.Frozen) tensors[TensorName.Parse(input).Name] = tensor;
        var adapter = Adapter.Of(graphs.Plan, graphs.Base, tensors, graphs.Seed);
        var config = adapter.Config with
        {
            Task = recipe.Task,
            Labels = recipe.Classes(),
            Trainables =
                [.. graphs.Trained.Select(tensor => tensor.Input)
                    .Where(input => input.Kind == TensorKind.Parameter)
                    .Select(input => input.Name)],
        };
        return adapter with { Config = config, Folds = FoldGraph.IsPossible(graphs.Plan) };
    }

    private static List<(string Name, string Value)> Measured(EvaluationRecord evaluation) =>
    [
        ("validation loss", Phrases.Number(evaluation.Loss)),
        .. evaluation.Metrics.Select(metric => ($"validation {metric.Key}", Phrases.Number(metric.Value))),
    ];

    public void Dispose() => Runtime.Dispose();
}
