using System.Text.Json;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>The goldens of the additive families, and the exports that they hold for.</summary>
internal static class Goldens
{
    private static readonly string[] Methods = ["lorta", "lora", "lora_fa", "vera", "nola", "lotr", "fact_tt", "fact_tk", "adalora", "loretta_rep"];

    /// <summary>Each golden with every export that it holds for: (<c>llama-mini/causal-lm.lorta</c>, <c>llama-mini/ts-sdpa</c>). Those with @ hold for one narrow export, all others for the float32 ones.</summary>
    public static IEnumerable<(string Golden, string Export)> WithExports =>
        from golden in Known
        from export in golden.Contains('@', StringComparison.Ordinal) || golden.StartsWith("smollm2", StringComparison.Ordinal) ? Exports.All : Exports.Float32
        where Fit(golden, export)
        select (golden, export);

    /// <summary>The path of a golden.</summary>
    public static string Path(string golden) => Fixtures.Path("goldens", $"{golden}.safetensors");

    private static IEnumerable<string> Known => Fixtures.Files("goldens", "*.json")
        .Select(path => path[..^".json".Length])
        .Where(golden => Facts(golden) is (var method, var task) && Methods.Contains(method) && task != "dpo");

    private static bool Fit(string golden, string export)
    {
        var ((model, key), (folder, name)) = (Exports.Split(golden), Exports.Split(export));
        if (model != folder || name.StartsWith("extra/", StringComparison.Ordinal)) return false;
        if (key.Split('@') is [_, var narrow] && name.Split('.')[^1] != narrow) return false;
        var task = key[..key.IndexOf('.', StringComparison.Ordinal)] is "regression" ? "seqcls" : key[..key.IndexOf('.', StringComparison.Ordinal)];
        return model is "llama-mini" or "minilm" or "smollm2" || name.StartsWith($"{task}.", StringComparison.Ordinal);
    }

    private static (string Method, string Task) Facts(string golden)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("goldens", $"{golden}.json")));
        return (json.RootElement.GetProperty("method").GetString()!, json.RootElement.GetProperty("lossName").GetString()!);
    }
}
