using System.Globalization;
using System.Text.Json;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Tasks;
using OptimizerOptions = LoRTA.Onnx.GraphGen.Optimizers.OptimizerOptions;

namespace LoRTA.Onnx.Training;

/// <summary>What a recipe means to the libraries that do the work.</summary>
internal static class RecipeMapping
{
    public static TrainingOptions Spec(Recipe recipe, IReadOnlyDictionary<string, OnnxTensor>? values) => new()
    {
        Adapter = Adapter(recipe.Adapter),
        Task = recipe.Task,
        Output = LossOutput(recipe),
        Trainables = [.. recipe.Trainables.Select(item => new TrainablePattern(item.Match, new ParameterGroup(item.Lr, item.WeightDecay)))],
        Optimizer = new OptimizerOptions
        {
            LearningRate = recipe.Train.Optimizer.Lr,
            Beta1 = recipe.Train.Optimizer.Betas[0],
            Beta2 = recipe.Train.Optimizer.Betas[1],
            Epsilon = recipe.Train.Optimizer.Eps,
            WeightDecay = recipe.Train.Optimizer.WeightDecay,
            Clip = recipe.Train.Clip,
        },
        Seed = recipe.Seed,
        Values = values ?? new Dictionary<string, OnnxTensor>(StringComparer.Ordinal),
    };

    public static GraphGen.Adapters.AdapterOptions Adapter(Recipes.AdapterOptions adapter) => new()
    {
        Method = adapter.Method,
        Rank = adapter.Rank,
        Alpha = adapter.Alpha,
        Targets = adapter.Targets,
        Layers = adapter.Layers.Indices,
        Dropout = adapter.Dropout,
        Options = adapter.Options.ToDictionary(pair => pair.Key, pair => Text(pair.Value), StringComparer.Ordinal),
    };

    public static Recipes.AdapterOptions Adapter(GraphGen.Adapters.AdapterOptions adapter) => new()
    {
        Method = adapter.Method,
        Rank = adapter.Rank,
        Alpha = adapter.Alpha,
        Targets = adapter.Targets,
        Layers = adapter.Layers is { } layers ? LayerChoice.Of(layers) : LayerChoice.All,
        Options = adapter.Options.ToDictionary(pair => pair.Key, pair => JsonSerializer.SerializeToElement(pair.Value), StringComparer.Ordinal),
    };

    /// <summary>The model's output that is the loss, of a task that asks for it.</summary>
    public static string? LossOutput(Recipe recipe) =>
        TrainingTasks.Of(recipe.Task).Keys.Contains("taskOptions.output") ? recipe.TaskOptions.Output : null;

    /// <summary>The data; the graph knows the model's classes and, for a loss of its own, its labels.</summary>
    public static Data.DataOptions Data(Recipe recipe, EvaluationGraph graph) => new()
    {
        Task = recipe.Task,
        BatchSize = recipe.Train.BatchSize,
        Seed = recipe.Seed,
        Train = recipe.Data.Train,
        Validation = recipe.Data.Validation,
        ValidationFraction = recipe.Data.ValidationFraction ?? 0,
        Format = recipe.Data.Format,
        Columns = new Data.ColumnMap { Text = recipe.Data.Columns.Text, Pair = recipe.Data.Columns.Pair, Label = recipe.Data.Columns.Label, Mask = recipe.Data.Columns.Mask },
        Template = recipe.Data.Template is { } template ? Row(template) : null,
        MaxLength = Math.Min(recipe.Data.MaxLength, graph.Batches.Sizes.Length ?? int.MaxValue),
        Separator = recipe.Data.Separator,
        Bos = recipe.Data.Bos,
        Eos = recipe.Data.Eos,
        Packing = recipe.Data.Packing,
        Bucketing = recipe.Data.Bucketing,
        Labels = recipe.Classes() ?? [],
        Classes = graph.Classes,
        OwnLabels = OwnLabels(graph.Model.Graph),
        MaskProbability = recipe.TaskOptions.Probability,
    };

    // What the graph's input for labels takes: tokens [B, S], or one class or number a row [B].
    private static LabelKind OwnLabels(Graph graph) => graph.Find(TrainingNames.Labels) is not { IsInput: true } labels ? LabelKind.None
        : labels.Shape?.Rank == 2 ? LabelKind.Token
        : labels.Type.IsFloat() ? LabelKind.Number : LabelKind.Class;

    private static Data.RowTemplate Row(Template template) => template.Prompt.Length == 0
        ? new Data.RowTemplate { Text = template.Completion }
        : new Data.RowTemplate { Prompt = template.Prompt, Completion = template.Completion };

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => value.GetDouble().ToString(CultureInfo.InvariantCulture),
        _ => value.GetRawText(),
    };
}
