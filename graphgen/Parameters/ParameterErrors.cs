namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Failures of training parameters of the model itself.</summary>
internal static class ParameterErrors
{
    /// <summary>What the key of patterns is called where they choose what a family trains.</summary>
    public const string Targets = "adapter.targets";

    private const string Trainables = "trainables";

    public static LortaException NoMatch(string pattern, IEnumerable<string> close, string key = Trainables) =>
        new(
            "LRT307",
            $"{key}: '{pattern}' matches no parameter of the model.",
            $"`lorta inspect MODEL --weights --json` lists the names{Close(close)}.")
        { IsUsage = true };

    public static LortaException CannotTrain(string name, string why, string key = Trainables) =>
        new(
            "LRT314",
            $"{key}: '{name}' cannot be trained ({why}).",
            "Choose patterns that leave it out, or use an export that stores it in float32.")
        { IsUsage = true };

    private static string Close(IEnumerable<string> names) =>
        names.ToList() is { Count: > 0 } list ? $"; it has for instance {string.Join(", ", list)}" : string.Empty;
}
