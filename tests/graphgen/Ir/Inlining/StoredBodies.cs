using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inlining;

/// <summary>Stored models with functions and branches, written field by field; x [2, 3] and its results.</summary>
internal static class StoredBodies
{
    public static ModelProto Model(IEnumerable<NodeProto> nodes, params FunctionProto[] functions)
    {
        var graph = new GraphProto { Name = "g", Input = { Info("x", 2, 3) }, Output = { Info("y") } };
        graph.Node.AddRange(nodes);
        graph.Initializer.Add(Tensor("w", [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 10]));
        var model = new ModelProto { IrVersion = 10, Graph = graph, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 18 }, new OperatorSetIdProto { Domain = "local", Version = 1 } } };
        model.Functions.AddRange(functions);
        return model;
    }

    public static FunctionProto Function(string name, string[] inputs, string[] outputs, NodeProto[] nodes, long opset = 18)
    {
        var function = new FunctionProto { Name = name, Domain = "local", OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset }, new OperatorSetIdProto { Domain = "local", Version = 1 } } };
        function.Input.AddRange(inputs);
        function.Output.AddRange(outputs);
        function.Node.AddRange(nodes);
        return function;
    }

    public static NodeProto Node(string op, string[] inputs, string[] outputs, string name = "", string domain = "", params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = op, Domain = domain, Name = name };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes);
        return node;
    }

    public static NodeProto Call(string function, string[] inputs, string[] outputs, string name = "", params AttributeProto[] attributes) => Node(function, inputs, outputs, name, "local", attributes);

    public static AttributeProto Float(string name, float value) => new() { Name = name, Type = 1, F = value };

    public static AttributeProto Int(string name, long value) => new() { Name = name, Type = 2, I = value };

    public static AttributeProto Reference(string name, string to, int type = 1) => new() { Name = name, Type = type, RefAttrName = to };

    public static AttributeProto Branch(string name, NodeProto[] nodes, string output, params TensorProto[] initializers)
    {
        var graph = new GraphProto { Name = name, Output = { Info(output) } };
        graph.Node.AddRange(nodes);
        graph.Initializer.AddRange(initializers);
        return new() { Name = name, Type = 5, G = graph };
    }

    public static TensorProto Tensor(string name, long[] dims, float[] values)
    {
        var tensor = new TensorProto { Name = name, DataType = 1 };
        tensor.Dims.AddRange(dims);
        tensor.FloatData.AddRange(values);
        return tensor;
    }

    public static TensorProto Bool(string name, bool value) => new() { Name = name, DataType = 9, Int32Data = { value ? 1 : 0 } };

    public static ValueInfoProto Info(string name, params long[] dims)
    {
        var type = new TypeProto.Types.Tensor { ElemType = 1 };
        if (dims.Length > 0) type.Shape = new TensorShapeProto();
        foreach (var dim in dims) type.Shape!.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = dim });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } };
    }

    /// <summary>What ONNX Runtime computes of the stored model, and of what is read of it.</summary>
    public static (float[] Stored, float[] Read, OnnxModel Model) Run(ModelProto proto)
    {
        var bytes = proto.ToByteArray();
        var model = ModelReader.Read(bytes);
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Of<float>([2, 3], [1f, -2, 3, 0.5f, 5, -6]) };
        using var stored = new Ort(bytes);
        return (stored.Run(inputs)["y"].ToFloats(), Ort.Run(model, inputs)["y"].ToFloats(), model);
    }
}
