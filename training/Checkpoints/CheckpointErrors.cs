using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Messages;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Checkpoints;

/// <summary>Failures of checkpoints.</summary>
internal static class CheckpointErrors
{
    public static LortaException Damaged(string path, string what) =>
        new(
            "LRT560",
            $"{path}: {what}.",
            "Resuming takes the newest checkpoint that is whole. If there is none, start again with --force instead of --resume.");

    public static LortaException NewestDamaged(LortaException damage, string whole) =>
        new(
            damage.Code,
            damage.Message,
            $"The newest checkpoint that is whole is an earlier state; to use that one, name it: {whole}",
            damage);

    public static LortaException NothingToResume(string path) =>
        new(
            "LRT563",
            $"{path}: holds files, but no run that could continue.",
            "Name the run folder that has the checkpoints, or start again with --force instead of --resume.")
        { IsUsage = true };

    public static LortaException OfAnotherRun(string path) => new(
        "LRT564",
        $"{path}: holds the checkpoints of another run.",
        "Continue that run with FitOptions.Resume, or name another folder.");

    public static LortaException OwnRecipe(string recipe) =>
        new(
            "LRT565",
            $"{recipe}: is the recipe of a run, and a new run would overwrite both.",
            "With --resume the run is continued. For a new run, name another output with -o. To replace the run, copy the recipe to "
                + "another folder and train from the copy with --force.")
        { IsUsage = true };

    public static LortaException OtherModel(string path, string difference) => new(
        "LRT566",
        $"{path}: belongs to another model; {difference}.",
        "Resume with the model of the run, or start another run folder.");

    public static LortaException OtherRecipe(string path, IReadOnlyList<RecipeDifference> differences)
    {
        var keys = string.Join(", ", differences.Select(difference => $"{difference.Key} was {difference.Before}, is {difference.Now}"));
        return new(
            "LRT561",
            $"{path}: belongs to another recipe; {keys}.",
            "Resume with the recipe of the run, of which only train.steps or train.epochs may be larger, or start another run folder.")
        { IsUsage = true };
    }

    public static LortaException OtherThreads(string path, int before, int now)
    {
        var hint = $"Pass --threads {before}: another number rounds differently, so the run would not end in the same bytes.";
        var threads = Plural.Of(before, "thread", "threads");
        return new("LRT562", $"{path}: was computed with {threads}, now there {(now == 1 ? "is" : "are")} {now}.", hint) { IsUsage = true };
    }
}
