using System.Text.Json;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>The goldens of LoRTA and LoRA, and the exports that they hold for.</summary>
internal static class Goldens
{
    private static readonly string[] Methods = ["lorta", "lora"];

    /// <summary>Each golden with each plain export of its model and task: (<c>llama-mini/causal-lm.lorta</c>, <c>llama-mini/ts-sdpa</c>).</summary>
    public static IEnumerable<(string Golden, string Export)> WithExports =>
        from golden in Plain
        from export in Exports.Plain
        where Fit(golden, export)
        select (golden, export);

    /// <summary>The path of a golden.</summary>
    public static string Path(string golden) => Fixtures.Path("goldens", $"{golden}.safetensors");

    // Goldens with @ hold for a quantised or narrowed export alone.
    private static IEnumerable<string> Plain => Fixtures.Files("goldens", "*.json")
        .Select(path => path[..^".json".Length])
        .Where(golden => !golden.Contains('@', StringComparison.Ordinal) && Facts(golden) is (var method, var task) && Methods.Contains(method) && task != "dpo");

    private static bool Fit(string golden, string export)
    {
        var ((model, key), (folder, name)) = (Exports.Split(golden), Exports.Split(export));
        if (model != folder || name.StartsWith("extra/", StringComparison.Ordinal) || name.Contains("train-mode", StringComparison.Ordinal)) return false;
        var task = key[..key.IndexOf('.', StringComparison.Ordinal)] is "regression" ? "seqcls" : key[..key.IndexOf('.', StringComparison.Ordinal)];
        return model is "llama-mini" or "minilm" or "smollm2" || name.StartsWith($"{task}.", StringComparison.Ordinal);
    }

    private static (string Method, string Task) Facts(string golden)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("goldens", $"{golden}.json")));
        return (json.RootElement.GetProperty("method").GetString()!, json.RootElement.GetProperty("lossName").GetString()!);
    }
}
