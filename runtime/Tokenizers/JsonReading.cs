using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Reads the JSON files of a tokenizer, in which null and absent mean the same.</summary>
internal static class JsonReading
{
    public static JsonElement? Find(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    public static string? Text(this JsonElement json, string name) =>
        json.Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public static bool? Flag(this JsonElement json, string name) =>
        json.Find(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : null;

    public static IEnumerable<JsonElement> Array(this JsonElement json, string name) =>
        json.Find(name) is { ValueKind: JsonValueKind.Array } value ? value.EnumerateArray() : [];

    /// <summary>Reads a file of a tokenizer; whatever it lacks or has wrong becomes one error that names it.</summary>
    public static T Read<T>(string path, Func<byte[], T> parse)
    {
        var bytes = ReadBytes(path);
        return Guard(path, () => parse(bytes));
    }

    /// <summary>Whatever is wrong in what was read from files becomes one error that names them.</summary>
    public static T Guard<T>(string path, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentException or IOException or InvalidDataException or IndexOutOfRangeException or OverflowException
            or NullReferenceException or NotSupportedException)
        {
            throw TokenizerErrors.Corrupt(path, e.FirstLine(), e);
        }
    }

    public static JsonElement Parse(byte[] json) => JsonSerializer.Deserialize<JsonElement>(PlainText.WithoutMark(json));

    private static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }
}
