using System.Globalization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Failures of training runs.</summary>
internal static class TrainingErrors
{
    public static LortaException LossNotFinite(long step, double loss) =>
        new(
            "LRT601",
            string.Create(CultureInfo.InvariantCulture, $"step {step}: the loss is {loss}."),
            "Lower train.optimizer.lr or adapter.alpha, or check the data for broken rows; checkpoints before this step stay.");

    public static LortaException GradientNotFinite(long step, double norm) =>
        new(
            "LRT602",
            string.Create(CultureInfo.InvariantCulture, $"step {step}: the norm of the gradients is {norm}."),
            "Lower train.optimizer.lr or adapter.alpha, or set train.clip; checkpoints before this step stay.");

    public static LortaException NothingMeasured() => new(
        "LRT603",
        "No label of the validation data counts, so that there is no loss to measure.",
        "Give validation rows with labels, or more of them; from C#, a sequence that can be enumerated again.");

    public static LortaException NoValidation(string file) =>
        new(
            "LRT604",
            $"{file}: the recipe names no validation data.",
            "Give data.validation or data.validationFraction.")
        { IsUsage = true };

    public static LortaException NoTask(string model, string outputs) =>
        new(
            "LRT635",
            $"{model}: its task cannot be determined; its outputs are {outputs}.",
            "Name the task with --task.")
        { IsUsage = true };

    public static LortaException RunInUse(string folder, string holder) =>
        new("LRT625", $"{folder}: is in use by {holder}.", "Wait until it ends, or name another run folder.");

    public static LortaException OtherLabels(string adapter, IReadOnlyList<string> learned, IReadOnlyList<string> named) =>
        new(
            "LRT636",
            $"{adapter}: was trained with the classes {string.Join(", ", learned)}; the recipe names {string.Join(", ", named)}.",
            "Give data.labels the adapter's classes, in their order.")
        { IsUsage = true };

    public static LortaException TooManySteps(long steps, long most) =>
        new(
            "LRT583",
            string.Create(CultureInfo.InvariantCulture, $"The recipe has {steps} steps; a schedule for artifacts has {most} at most."),
            "State fewer train.steps or train.epochs, or write the artifacts without --recipe.");
}
