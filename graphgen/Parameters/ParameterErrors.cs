namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Failures of training parameters of the model itself.</summary>
internal static class ParameterErrors
{
    public static LortaException NoMatch(string pattern, IEnumerable<string> close) =>
        new(
            "LRT307",
            $"trainables: '{pattern}' matches no parameter of the model.",
            $"`lorta inspect MODEL --weights --json` lists the names{Close(close)}.")
        { IsUsage = true };

    public static LortaException CannotTrain(string name, string why) =>
        new(
            "LRT314",
            $"trainables: '{name}' cannot be trained ({why}).",
            "Leave it out of the pattern, or use an export that stores it in float.")
        { IsUsage = true };

    private static string Close(IEnumerable<string> names) =>
        names.ToList() is { Count: > 0 } list ? $"; it has for instance {string.Join(", ", list)}" : string.Empty;
}
