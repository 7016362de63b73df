using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>The exported models among the fixtures and the batches that go with them.</summary>
internal static class Exports
{
    // What these hold has no place in the canonical graph yet.
    private static readonly string[] NotYet = ["genai", "int8", "fp16", "fused", "smollm2"];

    /// <summary>Exports in 32-bit arithmetic and plain operators: <c>llama-mini/ts-sdpa</c>, …</summary>
    public static IEnumerable<string> Plain => All.Where(export => !NotYet.Any(part => export.Contains(part, StringComparison.Ordinal)));

    /// <summary>All exports.</summary>
    public static IEnumerable<string> All => Fixtures.Files("models", "*.onnx").Select(path => path[..^".onnx".Length]);

    /// <summary>The path of an export.</summary>
    public static string Path(string export) => Fixtures.Path("models", $"{export}.onnx");

    /// <summary>The folder of an export's model and the export's name in it, the key of its goldens.</summary>
    public static (string Folder, string Key) Split(string export) => (export[..export.IndexOf('/', StringComparison.Ordinal)], export[(export.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    /// <summary>The model's reference batch, with what else the export wants: positions from 0, token types 0, an empty past.</summary>
    public static IReadOnlyDictionary<string, Tensor> Batch(string export, Model model)
    {
        var stored = Safetensors.Load(Fixtures.Path("models", BatchFile(export))).Tensors;
        long[] dims = [.. stored["input_ids"].Dims];
        return model.Graph.Inputs.Where(input => input.Constant is null).ToDictionary(input => input.Name, input => stored.GetValueOrDefault(input.Name) ?? Missing(input, dims), StringComparer.Ordinal);
    }

    private static Tensor Missing(Value input, long[] dims) => input.Name switch
    {
        "token_type_ids" => Tensor.Of<long>(dims, new long[dims[0] * dims[1]]),
        "position_ids" => Tensor.Of<long>(dims, [.. Enumerable.Range(0, (int)(dims[0] * dims[1])).Select(i => i % dims[1])]),
        _ => Tensor.Of<float>([dims[0], input.Shape![1].Value!.Value, 0, input.Shape[3].Value!.Value], []),
    };

    private static string BatchFile(string export)
    {
        var (folder, key) = Split(export);
        return (folder, key) switch
        {
            (_, "extra/shared-attention") => "llama-mini/extra/shared-attention.safetensors",
            (_, _) when key.StartsWith("extra/bert-tiny", StringComparison.Ordinal) => "roberta-mini/extra/bert-tiny.safetensors",
            ("llama-mini" or "smollm2", _) => $"{folder}/reference/batch.safetensors",
            ("minilm", _) => "minilm/reference/seqcls.safetensors",
            _ => $"{folder}/reference/{key[..key.IndexOf('.', StringComparison.Ordinal)]}.safetensors",
        };
    }
}
