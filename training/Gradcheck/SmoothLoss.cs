using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>A loss that central differences can be taken of: as smooth and as exact as its gradient takes it to be.</summary>
internal static class SmoothLoss
{
    /// <summary>Changes the graph of a loss: what the gradient takes for a constant is held as it is at the start, and numbers are float64
    /// where ONNX Runtime can compute with them.</summary>
    /// <param name="model">The graph; its outputs may become float64.</param>
    /// <param name="start">The values of the inputs that are moved, which become float64, where the gradient was taken.</param>
    public static void Make(OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> start)
    {
        HoldAtStart(model.Graph, start);
        model.Graph.RemoveUnused();
        DoublePrecision.Widen(model, start.Keys.ToHashSet(StringComparer.Ordinal));
    }

    // What the gradient takes for a constant is one: computed from the trained tensors as they are at the start, whatever they become. So
    // is the side of its kink that each element of a Relu is on: there are too many of them for a step that crosses none.
    private static void HoldAtStart(Graph graph, IReadOnlyDictionary<string, OnnxTensor> start)
    {
        if (!graph.Nodes.Any(node => node.StopsGradient || node.Op == "Relu")) return;
        var held = new Dictionary<Value, Value>();   // each value that follows from trained tensors, as it is at the start
        foreach (var (name, tensor) in start)
            if (graph.Find(name) is { } input) held[input] = graph.AddConstant($"{name}/held", tensor);
        foreach (var node in graph.Nodes.ToArray())
        {
            if (node.Inputs.Any(input => input is not null && held.ContainsKey(input)))
            {
                var outputs = node.Outputs.Select(output => output is null ? null : Twin(output)).ToList();
                var twin = graph.Add(node.On(node.Inputs.Select(Held), outputs), after: node);
                if (node.Name.Length > 0) twin.Name = $"{node.Name}/held";   // both may be needed
                if (node.Op == "Relu") HoldSides(node, twin);
            }
            if (node.StopsGradient && held.TryGetValue(node.Output, out var constant))
                graph.ReplaceUses(node.Output, constant, _ => true);
        }
        graph.Sort();

        Value? Held(Value? value) => value is not null && held.TryGetValue(value, out var twin) ? twin : value;

        Value Twin(Value output) => held[output] = graph.AddValue($"{output.Name}/held", output.Type, output.Shape);

        void HoldSides(Node relu, Node twin)
        {
            var tape = new Tape(graph);
            var zero = tape.Scalar(0, relu.Output.Type);
            var chosen = tape[relu.Operand(0)].Where(tape.Op("Greater", [tape[twin.Operand(0)], zero]), otherwise: zero).Value;
            graph.ReplaceUses(relu.Output, chosen, _ => true);
            held[chosen] = held[relu.Output];
        }
    }
}
