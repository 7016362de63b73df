using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>Parameter names from a file: per export, or for one model, {name: {initializer, transposed, slice, also}}.</summary>
internal static class ParameterNameFile
{
    public static IReadOnlyList<ParameterName> Load(string path, OnnxModel model)
    {
        if (!RealPath.HasFile(path)) throw FileErrors.NotFound(path);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            return [.. Entries(document.RootElement, model)
                .Where(entry => entry.Value.GetProperty("initializer").ValueKind == JsonValueKind.String)
                .Select(Read)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw FileErrors.Corrupt(path, "holds no parameter names");
        }
    }

    private static JsonElement.ObjectEnumerator Entries(JsonElement root, OnnxModel model)
    {
        var export = Path.GetFileNameWithoutExtension(model.Path);
        foreach (var candidate in new[] { export, $"{Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(model.Path)))}/{export}" })
            if (root.TryGetProperty(candidate, out var own)) return own.EnumerateObject();
        return root.EnumerateObject();
    }

    private static ParameterName Read(JsonProperty entry)
    {
        var (slice, also) = (entry.Value.GetProperty("slice"),
            entry.Value.TryGetProperty("also", out var given) ? given.EnumerateArray().Select(name => name.GetString()!).ToList() : []);
        return new ParameterName(
            entry.Name,
            entry.Value.GetProperty("initializer").GetString()!,
            entry.Value.GetProperty("transposed").GetBoolean(),
            slice.ValueKind == JsonValueKind.Array ? (slice[0].GetInt32(), slice[1].GetInt64(), slice[2].GetInt64()) : null,
            also);
    }
}
