using System.Text.Json;
using LoRTA.Onnx.GraphGen.Adapters.Families;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>The goldens of the families that there are, and the exports that they hold for.</summary>
internal static class Goldens
{
    /// <summary>Each golden with every export that it holds for: (<c>llama-mini/causal-lm.lorta</c>, <c>llama-mini/ts-sdpa</c>). Those with @ hold for one narrow export, all others for the float32 ones.</summary>
    public static IEnumerable<(string Golden, string Export)> WithExports =>
        from golden in All
        where Facts(golden).Task != "dpo"
        from export in golden.Contains('@', StringComparison.Ordinal) || golden.StartsWith("smollm2", StringComparison.Ordinal) ? Exports.All : Exports.Float32
        where Fit(golden, export)
        select (golden, export);

    /// <summary>The path of a golden.</summary>
    public static string Path(string golden) => Fixtures.Path("goldens", $"{golden}.safetensors");

    /// <summary>All of them.</summary>
    public static IEnumerable<string> All => Fixtures.Files("goldens", "*.safetensors")
        .Select(path => path[..^".safetensors".Length])
        .Where(golden => AdapterFamilies.All.Any(family => family.Method == Facts(golden).Method));

    /// <summary>How many numbers of the adapter a golden trains.</summary>
    public static long Trainable(string golden) => Facts(golden).Trainable;

    private static bool Fit(string golden, string export)
    {
        var ((model, key), (folder, name)) = (Exports.Split(golden), Exports.Split(export));
        if (model != folder || name.StartsWith("extra/", StringComparison.Ordinal)) return false;
        if (key.Split('@') is [_, var narrow] && name.Split('.')[^1] != narrow) return false;
        var task = key[..key.IndexOf('.', StringComparison.Ordinal)] is "regression" ? "seqcls" : key[..key.IndexOf('.', StringComparison.Ordinal)];
        return model is "llama-mini" or "minilm" or "smollm2" || name.StartsWith($"{task}.", StringComparison.Ordinal);
    }

    private static (string Method, string Task, long Trainable) Facts(string golden)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("goldens", $"{golden}.json")));
        var facts = json.RootElement;
        return (facts.GetProperty("method").GetString()!, facts.GetProperty("lossName").GetString()!, facts.GetProperty("trainable").GetInt64());
    }
}
