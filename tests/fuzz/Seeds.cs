using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests;

/// <summary>Whole inputs that mutations start from.</summary>
internal static class Seeds
{
    private static readonly Dictionary<(string Model, string Method), IReadOnlyList<(string Name, byte[] Bytes)>> Adapters = [];

    private static readonly string[] Names = ["qwen2", "bert", "gpt2", "phi3", "gpt-neox", "distilbert", "gemma2", "modernbert"];

    /// <summary>A small language model of 32 tokens.</summary>
    public static string Decoder { get; } = Architecture("qwen2");

    /// <summary>The bundled decoder, which has a tokenizer.</summary>
    public static string Bundled { get; } = Path.Combine(Fixtures.Repository, "models", "llama-mini");

    /// <summary>Small models of several families; fused and quantised ones where the fixtures are there.</summary>
    public static IReadOnlyList<string> Models { get; } =
    [
        .. Names.Select(Architecture),
        .. new[] { "llama-mini/genai-int4", "llama-mini/int8-qdq", "roberta-mini/extra/bert-tiny.ort-fused" }
            .Select(export => Path.Combine(Fixtures.Root ?? string.Empty, "models", $"{export}.onnx")).Where(File.Exists),
    ];

    /// <summary>Writes an adapter of a model with random factors.</summary>
    public static void WriteAdapter(string model, string folder, string method)
    {
        if (!Adapters.TryGetValue((model, method), out var files)) Adapters[(model, method)] = files = Made(OnnxModel.Load(model), method);
        Directory.CreateDirectory(folder);
        foreach (var (name, bytes) in files) File.WriteAllBytes(Path.Combine(folder, name), bytes);
    }

    private static IReadOnlyList<(string Name, byte[] Bytes)> Made(OnnxModel deployed, string method)
    {
        using var folder = new TestFolder();
        SaveAdapter(deployed, folder["adapter"], method);
        return [.. Directory.GetFiles(folder["adapter"]).Select(file => (Path.GetFileName(file), File.ReadAllBytes(file)))];
    }

    private static void SaveAdapter(OnnxModel deployed, string folder, string method)
    {
        var understood = UnderstoodModel.Of(deployed);
        var plan = AdapterPlan.Of(understood, new AdapterOptions { Method = method, Rank = 2, Alpha = 2 });
        new Adapter(folder, AdapterConfig.Of(plan, BaseModels.Describe(understood, plan)), RandomTensor.Factors(plan)).Save();
    }

    private static string Architecture(string name) => Path.Combine(Fixtures.Repository, "tests", "fixtures", "architectures", $"{name}.onnx");
}
