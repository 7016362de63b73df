using Google.Protobuf;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests.Mutations;

/// <summary>Models with a second file: where the tensors say that they lie, and what lies there.</summary>
internal static class ExternalDataMutations
{
    private static readonly string[] Commands =
    [
        "inspect {f}/model.onnx --json",
        "export {f}/model.onnx --adapter {f}/adapter -o {f}/out.onnx --verify --allow-base",
        "inject {f}/model.onnx -o {f}/out.onnx --targets q,v --rank 2",
        "verify {f}/model.onnx {f}/model.onnx --length 6",
    ];

    public static FuzzFormat Format { get; } = new("external-data", 8, Make);

    private static FuzzCase Make(TestFolder folder, SeededRandom random)
    {
        var model = OnnxModel.Load(Seeds.Decoder);
        Seeds.WriteAdapter(Seeds.Decoder, folder["adapter"], "lora");
        foreach (var value in model.Graph.Initializers) value.IsExternal = value.Constant!.Count > 100;
        model.Save(folder["model.onnx"]);
        var data = Directory.GetFiles(folder.Path, "*").Single(file => !file.EndsWith(".onnx", StringComparison.Ordinal));
        var bytes = File.ReadAllBytes(data);
        File.Delete(data);   // it may be mapped: it is replaced, not overwritten
        if (!random.Chance(0.1)) File.WriteAllBytes(data, random.Chance(0.3) ? ByteMutations.Apply(bytes, random) : bytes);
        var proto = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["model.onnx"]));
        for (var i = 0; i <= random.NextIndex(2); i++) Change(random.Of([.. proto.Graph.Initializer.Where(tensor => tensor.ExternalData.Count > 0)]), random);
        File.Delete(folder["model.onnx"]);
        File.WriteAllBytes(folder["model.onnx"], proto.ToByteArray());
        return FuzzCase.Of(folder, random.Of(Commands), "out");
    }

    private static void Change(TensorProto tensor, SeededRandom random)
    {
        var entry = random.Of(tensor.ExternalData);
        switch (random.NextIndex(6))
        {
            case 0: entry.Value = random.Of(Choices.Texts); break;
            case 1: entry.Value = random.Of(Choices.Extremes).ToString(System.Globalization.CultureInfo.InvariantCulture); break;
            case 2: tensor.ExternalData.Remove(entry); break;
            case 3: tensor.ExternalData.Add(entry.Clone()); break;
            case 4: entry.Key = random.Of<string>(["location", "offset", "length", "checksum", ""]); break;
            default: if (tensor.Dims.Count > 0) tensor.Dims[0] = random.Of(Choices.Extremes); break;
        }
    }
}
