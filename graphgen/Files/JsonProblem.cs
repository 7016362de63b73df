using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>What is wrong with a JSON text, in words: the keys, not the types of this program.</summary>
internal static partial class JsonProblem
{
    /// <summary>For instance <c>'base.sketch' is missing or of the wrong type</c>.</summary>
    public static string Of(JsonException failure)
    {
        if (failure.InnerException is JsonException) return $"line {failure.LineNumber + 1} is not JSON";
        var place = failure.Path is { Length: > 2 } path ? path[2..] : null;   // $.place
        var missing = Missing().Match(failure.Message) is { Success: true } match ? match.Groups["names"].Value : null;
        return (place, missing) switch
        {
            (null, { } names) => $"missing: {names}",
            ({ } at, { } names) => $"missing in '{at}': {names}",
            ({ } at, null) => $"'{at}' is missing or of the wrong type",
            _ => "it is not a JSON object",
        };
    }

    [GeneratedRegex("was missing required properties including: (?<names>'.*')")]
    private static partial Regex Missing();
}
