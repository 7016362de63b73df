using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.Training.Recipes;

namespace LoRTA.Onnx.Training.Errors;

/// <summary>Failures of checkpoints.</summary>
internal static class CheckpointErrors
{
    public static LortaException Damaged(string path, string what) =>
        new("LRT560", $"{path}: {what}.", "The checkpoint is damaged; resuming takes the newest one that is whole.");

    public static LortaException OtherRecipe(string path, IReadOnlyList<RecipeDifference> differences)
    {
        var keys = string.Join(", ", differences.Select(difference => $"{difference.Key} was {difference.Before}, is {difference.Now}"));
        return new("LRT561", $"{path}: belongs to another recipe; {keys}.", "Resume with the recipe of the run, or start another run folder.") { IsUsage = true };
    }

    public static LortaException OtherThreads(string path, int before, int now)
    {
        var hint = $"Pass --threads {before}: another number rounds differently, so the run would not end in the same bytes.";
        return new("LRT562", $"{path}: was computed with {before} threads, now there are {now}.", hint) { IsUsage = true };
    }
}
