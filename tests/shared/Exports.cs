using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>The exported models among the fixtures and the batches that go with them.</summary>
internal static class Exports
{
    // Files whose stored numbers are not those of the float32 model.
    private static readonly string[] Narrow = ["int4", "int8", "fp16", "smollm2"];

    /// <summary>Exports that store float32 numbers, in operators plain or fused: <c>llama-mini/ts-sdpa</c>, …</summary>
    public static IEnumerable<string> Float32 => All.Where(export => !Narrow.Any(part => export.Contains(part, StringComparison.Ordinal)));

    /// <summary>All exports.</summary>
    public static IEnumerable<string> All => Fixtures.Files("models", "*.onnx").Select(path => path[..^".onnx".Length]);

    /// <summary>The path of an export.</summary>
    public static string Path(string export) => Fixtures.Path("models", $"{export}.onnx");

    /// <summary>The folder of an export's model and the export's name in it, the key of its goldens.</summary>
    public static (string Folder, string Key) Split(string export) => (export[..export.IndexOf('/', StringComparison.Ordinal)], export[(export.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    /// <summary>The task that an export is trained for.</summary>
    public static string TaskOf(string export) => Split(export) switch
    {
        ("llama-mini" or "smollm2", _) => "causal-lm",
        (_, var key) when key.StartsWith("mlm.", StringComparison.Ordinal) => "masked-lm",
        (_, var key) when key.StartsWith("tokencls.", StringComparison.Ordinal) => "token-classification",
        _ => "classification",
    };

    /// <summary>The model's reference batch, with what else the export wants: positions from 0, token types 0, an empty past.</summary>
    public static IReadOnlyDictionary<string, OnnxTensor> Batch(string export, OnnxModel model)
    {
        var stored = Safetensors.Load(Fixtures.Path("models", BatchFile(export))).Tensors;
        long[] dims = [.. stored["input_ids"].Dims];
        return model.Graph.Inputs.Where(input => input.Constant is null).ToDictionary(input => input.Name, input => stored.GetValueOrDefault(input.Name) ?? Missing(model, input, dims), StringComparer.Ordinal);
    }

    private static OnnxTensor Missing(OnnxModel model, Value input, long[] dims) => input.Name switch
    {
        "token_type_ids" => OnnxTensor.Of<long>(dims, new long[dims[0] * dims[1]]),
        "position_ids" => OnnxTensor.Of<long>(dims, [.. Enumerable.Range(0, (int)(dims[0] * dims[1])).Select(i => i % dims[1])]),
        _ => new TextInputs(model).EmptyCache(input, dims[0])!,
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
