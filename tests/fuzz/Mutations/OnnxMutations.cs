using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests.Mutations;

/// <summary>ONNX models that are damaged in their structure: nodes, attributes, tensors, inputs and outputs.</summary>
internal static class OnnxMutations
{
    private static readonly string[] Commands =
    [
        "inspect {f}/model.onnx --json",
        "inspect {f}/model.onnx --weights --explain --graph {f}/out.onnx",
        "methods {f}/model.onnx --targets q,v --rank 2",
        "inject {f}/model.onnx -o {f}/out.onnx --targets q,v --rank 2",
        "export {f}/model.onnx --adapter {f}/adapter -o {f}/out.onnx --verify --allow-base",
        "export {f}/model.onnx --adapter {f}/adapter -o {f}/out.onnx --verify --keep-base --allow-base",
        "verify {f}/model.onnx {f}/model.onnx --length 6",
        "artifacts {f}/model.onnx -o {f}/out --method lora --targets q,v --task causal-lm --rank 2",
    ];

    private static readonly string[] Ops = ["MatMul", "Add", "Softmax", "Reshape", "Split", "Concat", "LayerNormalization", "Gather", "Cast", "Where", "ReduceMean", "If", "Einsum", "Dropout", "", "Own"];

    private static readonly Action<ModelProto, SeededRandom>[] All =
    [
        (model, random) => model.Graph.Node.RemoveAt(random.NextIndex(model.Graph.Node.Count)),
        (model, random) => model.Graph.Node.Insert(random.NextIndex(model.Graph.Node.Count), random.Of(model.Graph.Node).Clone()),
        Shuffle,
        ChangeInput,
        ChangeInput,
        (model, random) => Node(model, random).OpType = random.Of(Ops),
        (model, random) => Node(model, random).Domain = random.Of<string>(["", "com.microsoft", "own", "ai.onnx.ml"]),
        RenameOutput,
        ChangeAttribute,
        ChangeAttribute,
        ChangeAttribute,
        ChangeTensor,
        ChangeTensor,
        ChangeTensor,
        ChangeInfo,
        ChangeInfo,
        ExposeValue,
        ExposeValue,
        (model, random) => random.Of(model.OpsetImport).Version = random.Of(Choices.Extremes),
        (model, random) => random.Of(model.OpsetImport).Version = 7 + random.NextIndex(20),
        (model, random) => model.OpsetImport.Add(random.Of(model.OpsetImport).Clone()),
        (model, random) => model.IrVersion = random.Of(Choices.Extremes),
        (model, _) => model.Graph.Output.Clear(),
        (model, random) => model.Graph.Input.RemoveAt(random.NextIndex(model.Graph.Input.Count)),
        (model, random) => model.Graph.Initializer.Add(random.Of(model.Graph.Initializer).Clone()),
        (model, random) => model.Graph.Initializer.RemoveAt(random.NextIndex(model.Graph.Initializer.Count)),
        (model, random) => model.Graph.Output.Add(random.Of(model.Graph.Output).Clone()),
        (model, random) => model.Graph.Node.Add(new NodeProto { OpType = "Identity", Input = { random.Of(model.Graph.Node).Output[0] }, Output = { "further" } }),
    ];

    public static FuzzFormat Format { get; } = new("onnx", 40, Make);

    private static FuzzCase Make(TestFolder folder, SeededRandom random)
    {
        var seed = random.Of(Seeds.Models);
        var bytes = File.ReadAllBytes(seed);
        var command = random.Of(Commands);
        if (command.Contains("--adapter", StringComparison.Ordinal)) Seeds.WriteAdapter(seed, folder["adapter"], random.Of<string>(["lora", "lorta"]));
        File.WriteAllBytes(folder["model.onnx"], random.Chance(0.15) ? ByteMutations.Apply(bytes, random) : Mutated(bytes, random));
        return FuzzCase.Of(folder, command, "out");
    }

    private static byte[] Mutated(byte[] bytes, SeededRandom random)
    {
        var model = ModelProto.Parser.ParseFrom(bytes);
        for (var i = 0; i <= random.NextIndex(2); i++)
        {
            if (model.Graph.Node.Count > 0 && model.Graph.Input.Count > 0 && model.Graph.Initializer.Count > 0 && model.Graph.Output.Count > 0) random.Of(All)(model, random);
        }
        return model.ToByteArray();
    }

    private static NodeProto Node(ModelProto model, SeededRandom random) => random.Of(model.Graph.Node);

    private static void Shuffle(ModelProto model, SeededRandom random)
    {
        var nodes = model.Graph.Node.ToArray();
        model.Graph.Node.Clear();
        model.Graph.Node.AddRange(random.Permutation(nodes.Length).Select(i => nodes[i]));
    }

    private static void ChangeInput(ModelProto model, SeededRandom random)
    {
        var node = Node(model, random);
        if (node.Input.Count == 0) return;
        var at = random.NextIndex(node.Input.Count);
        switch (random.NextIndex(6))
        {
            case 0: node.Input.RemoveAt(at); break;
            case 1: node.Input[at] = string.Empty; break;
            case 2: node.Input[at] = "nowhere"; break;
            case 3: node.Input.Add(random.Of(model.Graph.Initializer).Name); break;
            case 4: node.Input[at] = random.Of(model.Graph.Initializer).Name; break;
            default: node.Input[at] = Node(model, random).Output.FirstOrDefault(string.Empty); break;
        }
    }

    private static void RenameOutput(ModelProto model, SeededRandom random)
    {
        var node = Node(model, random);
        if (random.Chance(0.3)) node.Output.Clear();
        else if (node.Output.Count > 0) node.Output[0] = random.Of<string>([string.Empty, "new", Node(model, random).Output.FirstOrDefault("x"), model.Graph.Input[0].Name]);
    }

    private static void ChangeAttribute(ModelProto model, SeededRandom random)
    {
        var nodes = model.Graph.Node.Where(node => node.Attribute.Count > 0).ToList();
        if (nodes.Count == 0) return;
        var node = random.Of(nodes);
        var attribute = random.Of(node.Attribute);
        switch (random.NextIndex(9))
        {
            case 0: node.Attribute.Remove(attribute); break;
            case 1: node.Attribute.Add(attribute.Clone()); break;
            case 2: attribute.I = random.Of(Choices.Extremes); break;
            case 3: attribute.F = random.Of(Choices.Floats); break;
            case 4: attribute.Type = random.NextIndex(15); break;
            case 5 when attribute.Ints.Count > 0: attribute.Ints[random.NextIndex(attribute.Ints.Count)] = random.Of(Choices.Extremes); break;
            case 6 when attribute.Ints.Count > 0: attribute.Ints.RemoveAt(0); break;
            case 7: attribute.Ints.Add(random.Of(Choices.Extremes)); break;
            default: if (attribute.T is { } tensor) Change(tensor, random); else attribute.S = ByteString.CopyFromUtf8(random.Of(Choices.Texts)); break;
        }
    }

    private static void ChangeTensor(ModelProto model, SeededRandom random) => Change(random.Of(model.Graph.Initializer), random);

    private static void Change(TensorProto tensor, SeededRandom random)
    {
        switch (random.NextIndex(9))
        {
            case 0 when tensor.Dims.Count > 0: tensor.Dims[random.NextIndex(tensor.Dims.Count)] = random.Of(Choices.Extremes); break;
            case 1: tensor.Dims.Add(random.Of(Choices.Extremes)); break;
            case 2 when tensor.Dims.Count > 1: (tensor.Dims[0], tensor.Dims[1]) = (tensor.Dims[1], tensor.Dims[0]); break;
            case 3: tensor.DataType = random.NextIndex(30) - 1; break;
            case 4: tensor.RawData = ByteString.CopyFrom(ByteMutations.Apply(tensor.RawData.ToByteArray(), random)); break;
            case 5: tensor.Name = random.Of(Choices.Texts); break;
            case 6: tensor.ClearRawData(); break;
            case 7: tensor.DataLocation = 1; break;
            default: PutNumbers(tensor, random); break;
        }
    }

    private static void PutNumbers(TensorProto tensor, SeededRandom random)
    {
        var bytes = tensor.RawData.ToByteArray();
        for (var at = 0; at + 4 <= bytes.Length; at += 4 * (1 + random.NextIndex(20))) BitConverter.TryWriteBytes(bytes.AsSpan(at), random.Of(Choices.Floats));
        tensor.RawData = ByteString.CopyFrom(bytes);
    }

    private static void ChangeInfo(ModelProto model, SeededRandom random)
    {
        var info = random.Of<ValueInfoProto>([.. model.Graph.Input, .. model.Graph.Output, .. model.Graph.ValueInfo]);
        if (info.Type?.TensorType is not { } type) return;
        switch (random.NextIndex(7))
        {
            case 0: info.Type = null; break;
            case 1: type.ElemType = random.NextIndex(30); break;
            case 2: type.Shape = null; break;
            case 3 when type.Shape?.Dim.Count > 0: random.Of(type.Shape.Dim).DimValue = random.Of(Choices.Extremes); break;
            case 4 when type.Shape?.Dim.Count > 0: random.Of(type.Shape.Dim).DimParam = random.Of<string>([.. Choices.Texts, "a*b + 3*c", "9223372036854775807*a + a", "a*a*a*a*a*a*a*a"]); break;
            case 5: info.Name = random.Of(Choices.Texts); break;
            default: type.Shape?.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = 1 + random.NextIndex(4) }); break;
        }
    }

    // What tools for debugging do: any value becomes an output of the graph.
    private static void ExposeValue(ModelProto model, SeededRandom random)
    {
        if (Node(model, random).Output.FirstOrDefault() is not { Length: > 0 } name || model.Graph.Output.Any(output => output.Name == name)) return;
        model.Graph.Output.Add(new ValueInfoProto { Name = name });
    }
}
