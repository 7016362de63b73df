using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>Values as a person reads them: whole numbers with thousands separators, others with four significant digits.</summary>
internal static class Numbers
{
    private const int MostItems = 12;   // of a list, whose JSON has them all

    /// <summary>A whole number.</summary>
    public static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A share in per cent.</summary>
    public static string Percent(double share) => $"{Phrases.Number(100 * share)} %";

    /// <summary>A number of bytes.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => $"{Phrases.Number(bytes / 1e9)} GB",
        >= 1_000_000 => $"{Phrases.Number(bytes / 1e6)} MB",
        >= 1_000 => $"{Phrases.Number(bytes / 1e3)} kB",
        _ => $"{bytes} B",
    };

    /// <summary>A value of a result; empty where there is none.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">What it is called in JSON: names with <c>bytes</c> are numbers of bytes.</param>
    public static string Text(JsonNode? value, string name = "") => value switch
    {
        null => string.Empty,
        JsonArray { Count: > MostItems } list => $"{Items(list.Take(MostItems))}, … ({Text(list.Count)} in all)",
        JsonArray list => Items(list),
        JsonObject record => record.Count == 0 ? string.Empty : record.ToJsonString(),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True => "yes",
            JsonValueKind.False => "no",
            JsonValueKind.Number when long.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var whole) =>
                name.Contains("bytes", StringComparison.OrdinalIgnoreCase) ? Bytes(whole) : Text(whole),
            JsonValueKind.Number => Phrases.Number(double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)),
            _ => value.ToString(),
        },
    };

    private static string Items(IEnumerable<JsonNode?> items) =>
        string.Join(", ", items.Select(item => item is JsonArray or JsonObject ? item.ToJsonString() : Plain(item)));

    // Sizes of a shape, indices: no thousands in a list that is separated by commas.
    private static string Plain(JsonNode? item) =>
        item?.GetValueKind() == JsonValueKind.Number && long.TryParse(item.ToJsonString(), CultureInfo.InvariantCulture, out _)
            ? item.ToJsonString()
            : Text(item);
}
