using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>What a recipe means to the libraries that do the work.</summary>
internal static class RecipeMapping
{
    /// <summary>What is trained.</summary>
    public static TrainingOptions ToOptions(Recipe recipe, IReadOnlyDictionary<string, OnnxTensor>? values) => new()
    {
        Adapter = recipe.Adapter,
        Task = recipe.Task,
        Output = LossOutput(recipe),
        Trainables = recipe.Trainables,
        Optimizer = recipe.Train.Optimizer with { Clip = recipe.Train.Clip },
        Seed = recipe.Seed,
        Labels = recipe.Classes(),
        Values = values ?? new Dictionary<string, OnnxTensor>(StringComparer.Ordinal),
    };

    /// <summary>What is trained and how, as a recipe without files: two runs with the same one are the same run.</summary>
    public static Recipe ToRecipe(TrainingOptions options, FitOptions fit) => new()
    {
        Model = string.Empty,
        Task = options.Task,
        TaskOptions = options.Output is { } output ? new() { Output = output } : new(),
        Adapter = options.Adapter,
        Trainables = options.Trainables,
        Seed = options.Seed,
        Data = new DataOptions { Train = string.Empty, Labels = options.Labels },
        Train = new TrainOptions
        {
            Epochs = fit.Epochs,
            Steps = fit.Steps,
            GradientAccumulation = fit.Accumulation,
            Optimizer = options.Optimizer,
            Clip = options.Optimizer.Clip,
            Schedule = fit.Schedule,
            EvaluateEvery = fit.EvaluateEvery,
            SaveEvery = fit.SaveEvery,
            KeepBest = fit.KeepBest,
            EarlyStop = fit.EarlyStop,
        },
    };

    /// <summary>The model's output that is the loss, of a task that asks for it.</summary>
    public static string? LossOutput(Recipe recipe) =>
        TrainingTasks.Find(recipe.Task)?.Keys.Contains("taskOptions.output") == true ? recipe.TaskOptions.Output : null;
}
