using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests.Mutations;

/// <summary>Safetensors files: adapters, inputs, factors, checkpoints.</summary>
internal static class SafetensorsMutations
{
    private static readonly Lazy<byte[]> Checkpoints = new(MakeCheckpoint);

    public static FuzzFormat Adapter { get; } = new("adapter-tensors", 8, (folder, random) =>
    {
        Seeds.WriteAdapter(Seeds.Decoder, folder["adapter"], random.Of<string>(["lora", "lorta"]));
        WithoutHash(folder["adapter", "adapter_config.json"]);
        Replace(folder["adapter", "adapter_model.safetensors"], random);
        return FuzzCase.Of(folder, random.Chance(0.5) ? $"export {Seeds.Decoder} --adapter {{f}}/adapter -o {{f}}/out.onnx --verify" : $"verify {Seeds.Decoder} {Seeds.Decoder} --adapter {{f}}/adapter --length 6 --tolerance 1e30", "out");
    });

    public static FuzzFormat Inputs { get; } = new("inputs", 8, (folder, random) =>
    {
        Safetensors.Save(folder["inputs.safetensors"], new Dictionary<string, OnnxTensor>
        {
            ["input_ids"] = OnnxTensor.Of<long>([2, 4], new long[8]),
            ["attention_mask"] = OnnxTensor.Of<long>([2, 4], [1, 1, 1, 1, 1, 1, 1, 0]),
            ["position_ids"] = OnnxTensor.Of<long>([2, 4], [0, 1, 2, 3, 0, 1, 2, 3]),
        });
        Replace(folder["inputs.safetensors"], random);
        return FuzzCase.Of(folder, $"verify {Seeds.Decoder} {Seeds.Decoder} --inputs {{f}}/inputs.safetensors");
    });

    public static FuzzFormat Factors { get; } = new("factors", 5, (folder, random) =>
    {
        Seeds.WriteAdapter(Seeds.Decoder, folder["adapter"], "lora");
        Replace(folder["adapter", "adapter_model.safetensors"], random);
        return FuzzCase.Of(folder, $"inject {Seeds.Decoder} -o {{f}}/out.onnx --method lora --rank 2 --factors {{f}}/adapter/adapter_model.safetensors", "out");
    });

    public static FuzzFormat Checkpoint { get; } = new("checkpoint", 4, (folder, random) =>
    {
        TextMutations.WriteRecipe(folder);
        Directory.CreateDirectory(folder["run", "checkpoints"]);
        File.WriteAllBytes(folder["run", "checkpoints", "step-00000001.safetensors"], Mutated(Checkpoints.Value, random));
        return FuzzCase.Of(folder, "train {f}/recipe.yaml --resume -o {f}/run --quiet --threads 1", "run");
    });

    private static void Replace(string file, SeededRandom random)
    {
        var bytes = File.ReadAllBytes(file);
        File.Delete(file);   // it may be mapped
        File.WriteAllBytes(file, Mutated(bytes, random));
    }

    private static void WithoutHash(string config)
    {
        var json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
        json.Remove("sha256");
        File.WriteAllText(config, json.ToJsonString());
    }

    private static byte[] Mutated(byte[] bytes, SeededRandom random)
    {
        if (random.Chance(0.2)) return ByteMutations.Apply(bytes, random);
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
        var (text, data) = (Header(header, random), bytes[(8 + length)..]);
        switch (random.NextIndex(8))
        {
            case 0: data = ByteMutations.Apply(data, random); break;
            case 1: for (var at = 0; at + 4 <= data.Length; at += 64) BitConverter.TryWriteBytes(data.AsSpan(at), random.Of(Choices.Floats)); break;
        }
        var newHeader = Encoding.UTF8.GetBytes(text);
        var size = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(size, random.Chance(0.1) ? random.Of(Choices.Extremes) : newHeader.Length);
        return [.. size, .. newHeader, .. data];
    }

    private static string Header(JsonObject header, SeededRandom random)
    {
        var name = random.Of(header.Select(pair => pair.Key).ToList());
        if (header[name] is not JsonObject tensor || !tensor.ContainsKey("shape")) return JsonMutations.Apply(header, random);
        switch (random.NextIndex(9))
        {
            case 0: tensor["dtype"] = random.Of<string>(["F32", "F64", "I64", "I32", "F16", "BF16", "BOOL", "U8", "F8_E4M3", "X"]); break;
            case 1: tensor["shape"]!.AsArray().Add(random.Of(Choices.Extremes)); break;
            case 2: tensor["shape"] = new JsonArray([.. tensor["shape"]!.AsArray().Select(dim => (JsonNode)(-(long)dim!))]); break;
            case 3: tensor["data_offsets"]![random.NextIndex(2)] = random.Of(Choices.Extremes); break;
            case 4: tensor["data_offsets"] = new JsonArray(long.MaxValue - 519, long.MaxValue - 7); break;
            case 5: header.Remove(name); break;
            case 6: header[random.Of(Choices.Texts) + "1"] = tensor.DeepClone(); break;
            default: return JsonMutations.Apply(header, random);
        }
        return header.ToJsonString();
    }

    private static byte[] MakeCheckpoint()
    {
        using var folder = new TestFolder();
        using var worker = new Worker();
        TextMutations.WriteRecipe(folder);
        var outcome = worker.Run(FuzzCase.Of(folder, "train {f}/recipe.yaml --set train.steps=1 -o {f}/run --quiet --threads 1").Args);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        return File.ReadAllBytes(Directory.GetFiles(folder["run", "checkpoints"])[0]);
    }
}
