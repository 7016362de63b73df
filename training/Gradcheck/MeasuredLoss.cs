using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>The loss of a batch as a function of the trained tensors, on the CPU and as exactly as it can be computed there
/// (<see cref="DoublePrecision"/>).</summary>
internal sealed class MeasuredLoss : IDisposable
{
    private static readonly OrtEngineOptions Cpu = new();

    private readonly TrainingGraphs _graphs;
    private readonly OrtWeights _weights = new();
    private readonly InferenceSession _session;
    private readonly BatchFeeds _feeds = new(dropout: null);
    private readonly Dictionary<string, OrtValue> _frozen;
    private readonly FittedBatch _batch;

    public MeasuredLoss(TrainingGraphs graphs, OrtEngineOptions settings, Batch batch)
    {
        _graphs = graphs;
        _session = _weights.Open(LossOf(graphs), settings with { Device = "cpu" });
        _frozen = graphs.Frozen.ToDictionary(frozen => frozen.Key, frozen => OrtTensors.ToOrt(frozen.Value), StringComparer.Ordinal);
        _batch = new FittedBatch(batch, graphs.Batches);
    }

    /// <summary>The loss at values of the trained tensors, by name.</summary>
    public double At(IReadOnlyDictionary<string, double[]> values)
    {
        var trained = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
        try
        {
            foreach (var tensor in _graphs.Trained)
                trained[tensor.Input] = OrtTensors.ToOrt(OnnxTensor.Of<double>([.. tensor.Initial.Dims], values[tensor.Name]));
            using var inputs = new ResidentInputs(Cpu, _weights, trained.Concat(_frozen).ToDictionary(StringComparer.Ordinal));
            return _batch.Runs.Sum(run => run.Share * Of(run.Batch, inputs));
        }
        finally
        {
            foreach (var value in trained.Values) value.Dispose();
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        foreach (var value in _frozen.Values) value.Dispose();
        _weights.Dispose();
    }

    private double Of(Batch batch, ResidentInputs inputs)
    {
        using var run = new OrtRun(_session);
        _feeds.Bind(run, _session, inputs.Bind(run, _session.InputNames), batch, weight: 1, default);
        using var outputs = run.Run("the loss", _session.OutputNames);
        return outputs[0].GetTensorTypeAndShape().ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Double
            ? outputs[0].GetTensorDataAsSpan<double>()[0]
            : outputs[0].GetTensorDataAsSpan<float>()[0];
    }

    // The loss that gradients belong to: with a family's penalty, which evaluation leaves out.
    private static OnnxModel LossOf(TrainingGraphs graphs)
    {
        var model = graphs.Train.Clone();
        var loss = model.Graph.Find(TrainingNames.Loss)!;
        model.Graph.ClearOutputs();
        model.Graph.AddOutput(loss);
        HoldAtStart(model.Graph, graphs.Trained);
        model.Graph.RemoveUnused();
        DoublePrecision.Widen(model, graphs.Trained.Select(tensor => tensor.Input.ToString()).ToHashSet(StringComparer.Ordinal));
        return model;
    }

    // What the gradient takes for a constant is one: computed from the trained tensors as they are at the start, whatever they become. So
    // is the side of its kink that each element of a Relu is on: there are too many of them for a step that crosses none.
    private static void HoldAtStart(Graph graph, IReadOnlyList<TrainedTensor> trained)
    {
        if (!graph.Nodes.Any(node => node.StopsGradient || node.Op == "Relu")) return;
        var held = new Dictionary<Value, Value>();   // each value that follows from trained tensors, as it is at the start
        foreach (var tensor in trained)
            if (graph.Find(tensor.Input) is { } input) held[input] = graph.AddConstant($"{tensor.Input}/held", tensor.Initial);
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
