using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Declares values that are lists of tensors, for which graphs here have no type.</summary>
internal static class SequenceDeclaration
{
    /// <summary>Adds an input that takes a list of tensors of any shapes.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="name">Its name.</param>
    /// <param name="elements">Type of their elements.</param>
    public static Value AddSequenceInput(this Graph graph, string name, ElementType elements)
    {
        var tensor = new TypeProto { TensorType = new() { ElemType = (int)elements } };
        var value = graph.AddInput(name, ElementType.Undefined, null);
        value.Declaration = new ValueInfoProto { Name = name, Type = new() { SequenceType = new() { ElemType = tensor } } }.ToByteArray();
        return value;
    }
}
