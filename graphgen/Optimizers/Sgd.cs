namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>Gradient descent without momentum (as torch.optim.SGD) as a graph of its own. Joint norm → clip → step; nothing is
/// kept.</summary>
/// <remarks>g ← g·clip factor; p ← p·(1 − ηλ) − η·g.</remarks>
internal static class Sgd
{
    /// <summary>Makes the optimizer of some tensors.</summary>
    /// <param name="tensors">The tensors.</param>
    /// <param name="clip">Largest joint norm of all gradients; null: no limit.</param>
    public static OnnxModel Build(IReadOnlyList<OptimizedTensor> tensors, double? clip)
    {
        var graph = new OptimizerGraph(OptimizerRule.Sgd, tensors, clip);
        var length = graph.Rate * graph.Clip;
        foreach (var (tensor, g) in graph.Moves)
        {
            using var scope = graph.Scope(tensor);
            var p = graph.Input(tensor.Name, tensor);
            var factor = length.Scaled(tensor.LearningRateFactor).Cast(ElementType.Float);
            OptimizerGraph.Next(tensor.Name, graph.Decayed(tensor, p) - (g * factor));
        }
        return graph.Model;
    }
}
