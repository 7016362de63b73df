using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runtime;

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
        Evaluator = data.Validation is { } validation ? Evaluator.Of(recipe.Task, validation, graphs.Evaluation) : null;
        var afterStep = graphs.Plan.Family.AfterStep(graphs.Plan.Sites, RunPlan.Of(recipe.Train, data.Train.BatchesPerEpoch).Steps);
        var runtime = settings.Open(graphs, recipe.Adapter.Dropout > 0 ? new DropoutMasks(recipe.Seed, recipe.Adapter.Dropout) : null);
        Runtime = afterStep is null ? runtime : new AfterStepRuntime(runtime, graphs, afterStep);
    }

    /// <summary>What is learned from, and what is measured on.</summary>
    public (DataStream Train, DataStream? Validation) Data { get; }

    public TrainingGraphs Graphs { get; }

    /// <summary>The model's file, and those of its weights.</summary>
    public required IReadOnlyList<string> ModelFiles { get; init; }

    public ITrainingRuntime Runtime { get; }

    /// <summary>Measures the validation data; null where there are none.</summary>
    public Evaluator? Evaluator { get; }

    /// <summary>Opens a recipe.</summary>
    /// <param name="recipe">The resolved recipe.</param>
    /// <param name="settings">Device and threads.</param>
    /// <param name="values">Given values of trained tensors; those that are absent start as the recipe says.</param>
    /// <param name="families">Families to choose from; null = those of this project.</param>
    public static PreparedTask Of(Recipe recipe, OrtSettings settings, IReadOnlyDictionary<string, OnnxTensor>? values = null,
        IReadOnlyList<AdapterFamilyEntry>? families = null)
    {
        var model = OnnxModel.Load(recipe.Model);
        var graphs = TrainingGraphBuilder.Build(model, RecipeMapping.ToOptions(recipe, values) with { Families = families });
        return new PreparedTask(recipe, DataOf(recipe, graphs.Evaluation), graphs, settings) { ModelFiles = model.Files };
    }

    /// <summary>Loads the data of a recipe.</summary>
    public static (DataStream Train, DataStream? Validation) DataOf(Recipe recipe, EvaluationGraph graph)
    {
        if (recipe.Classes() is { } classes && classes.Count > graph.Classes)
            throw DataErrors.TooManyClasses(classes.Count, graph.Classes.Value);
        return new DataSource(DataContext.Of(recipe, graph)).Load();
    }

    /// <summary>Writes the adapter as the runtime holds it.</summary>
    public void SaveAdapter(string folder)
    {
        var state = Runtime.State.Tensors;
        var tensors = Graphs.Trained.ToDictionary(tensor => tensor.Name, tensor => state[tensor.Name], StringComparer.Ordinal);
        foreach (var (input, tensor) in Graphs.Frozen) tensors[TensorName.Parse(input).Name] = tensor;
        var adapter = Adapter.Of(Graphs.Plan, Graphs.Base, tensors, Graphs.Seed);
        var config = adapter.Config with
        {
            Task = _recipe.Task,
            Labels = _recipe.Classes(),
            Trainables =
                [.. Graphs.Trained.Select(tensor => tensor.Input)
                    .Where(input => input.Kind == TensorKind.Parameter)
                    .Select(input => input.Name)],
        };
        (adapter with { Path = folder, Config = config }).Save();
    }

    public void Dispose() => Runtime.Dispose();
}
