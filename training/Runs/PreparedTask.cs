using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>A recipe with everything opened: the model's graphs, the data, the runtime.</summary>
internal sealed class PreparedTask : IDisposable
{
    private PreparedTask(Recipe recipe, (DataStream Train, DataStream? Validation) data, AdapterTrainer trainer)
    {
        Data = data;
        Trainer = trainer;
        Options = recipe.Train.ToFit(data.Validation is { } validation ? () => validation.InOrder().Prefetch(2) : null);
        Plan = RunPlan.Of(Options, data.Train.BatchesPerEpoch);
        Runtime = trainer.Planned(Plan.Steps);
    }

    /// <summary>What is learned from, and what is measured on.</summary>
    public (DataStream Train, DataStream? Validation) Data { get; }

    /// <summary>The steps of the run.</summary>
    public RunPlan Plan { get; }

    /// <summary>Length, schedule and evaluations of the run.</summary>
    public FitOptions Options { get; }

    /// <summary>What computes; disposed of with this.</summary>
    public AdapterTrainer Trainer { get; }

    public TrainingGraphs Graphs => Trainer.Graphs;

    /// <summary>The model's file, and those of its weights.</summary>
    public required IReadOnlyList<string> ModelFiles { get; init; }

    /// <summary>What in the recipe is probably not intended, each with what to do about it.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public ITrainingRuntime Runtime { get; }

    /// <summary>Opens a recipe.</summary>
    /// <param name="recipe">The resolved recipe.</param>
    /// <param name="engine">Where to compute.</param>
    /// <param name="values">Given values of trained tensors; those that are absent start as the recipe says.</param>
    /// <param name="from">The adapter that the recipe continues from; its values go first.</param>
    /// <param name="open">Opens the runtime; null = plain ONNX Runtime.</param>
    public static PreparedTask Of(Recipe recipe, OrtEngine engine, IReadOnlyDictionary<string, OnnxTensor>? values = null,
        Adapter? from = null, OpenTrainingRuntime? open = null)
    {
        var model = OnnxModel.Load(recipe.Model);
        var understood = UnderstoodModel.Of(model);
        var doubts = TrainingRun.WarningsOf(recipe, understood.Canonical);
        if (from is not null) values = ValuesOf(from, understood, engine.Catalog);
        var options = RecipeMapping.ToOptions(recipe, values);
        var graphs = TrainingGraphs.Build(understood, options, engine.Catalog);
        var context = DataContext.Of(recipe, graphs.Evaluation);
        string?[] warnings = [.. doubts, context.TokenizerWarning, ClassifierHead.Of(model, recipe.Task).Warning(model, graphs.Trained)];
        var data = new DataSource(context).Load();
        var trainer = new AdapterTrainer(engine, options, graphs, open);
        return new PreparedTask(recipe, data, trainer)
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
    public void SaveAdapter(string folder, EvaluationEvent? evaluation)
    {
        var measured = evaluation?.Step == Runtime.State.Step ? Measured(evaluation) : [];
        (Trainer.ToAdapter() with { Path = folder, Measured = measured }).Save();
    }

    private static List<(string Name, string Value)> Measured(EvaluationEvent evaluation) =>
    [
        ("validation loss", Phrases.Number(evaluation.Loss)),
        .. evaluation.Metrics.Select(metric => ($"validation {metric.Key}", Phrases.Number(metric.Value))),
    ];

    public void Dispose() => Trainer.Dispose();
}
