using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>What a recipe means to the libraries that do the work.</summary>
internal static class RecipeMapping
{
    public static TrainingOptions ToOptions(Recipe recipe, IReadOnlyDictionary<string, OnnxTensor>? values) => new()
    {
        Adapter = recipe.Adapter,
        Task = recipe.Task,
        Output = LossOutput(recipe),
        Trainables = recipe.Trainables,
        Optimizer = recipe.Train.Optimizer with { Clip = recipe.Train.Clip },
        Seed = recipe.Seed,
        Values = values ?? new Dictionary<string, OnnxTensor>(StringComparer.Ordinal),
    };

    /// <summary>The model's output that is the loss, of a task that asks for it.</summary>
    public static string? LossOutput(Recipe recipe) =>
        TrainingTasks.Find(recipe.Task)?.Keys.Contains("taskOptions.output") == true ? recipe.TaskOptions.Output : null;
}
