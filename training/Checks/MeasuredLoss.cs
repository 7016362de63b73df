using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;
using Microsoft.ML.OnnxRuntime;
using Tensor = LoRTA.Onnx.GraphGen.Ir.Tensor;

namespace LoRTA.Onnx.Training.Checks;

/// <summary>The loss of a batch as a function of the trained tensors, on the CPU and as exactly as it can be computed there
/// (<see cref="DoublePrecision"/>).</summary>
internal sealed class MeasuredLoss : IDisposable
{
    private readonly TrainingGraphs _graphs;
    private readonly OrtWeights _weights = new();
    private readonly InferenceSession _session;
    // one, where the model takes the batch as it is
    private readonly List<(Dictionary<string, OrtValue> Inputs, double Share)> _runs = [];

    public MeasuredLoss(TrainingGraphs graphs, OrtSettings settings, Batch batch)
    {
        _graphs = graphs;
        _session = _weights.Open(LossOf(graphs), settings with { Device = "cpu" });
        var trained = graphs.Trained.Select(tensor => tensor.Input).ToHashSet(StringComparer.Ordinal);
        var feeds = new BatchFeeds(dropout: null);
        foreach (var (run, share) in new FittedBatch(batch, graphs.Batches).Runs)
        {
            var inputs = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
            foreach (var name in _session.InputNames.Where(name => !trained.Contains(name)))
            {
                var tensor = name == TrainingNames.Weight
                    ? Tensor.Scalar(1f)
                    : graphs.Frozen.GetValueOrDefault(name) ?? feeds.For(name, _session.InputMetadata[name], run, default);
                inputs[name] = OrtTensors.ToOrt(tensor);
            }
            _runs.Add((inputs, share));
        }
    }

    /// <summary>The loss at values of the trained tensors, by name.</summary>
    public double At(IReadOnlyDictionary<string, double[]> values)
    {
        var trained = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
        try
        {
            foreach (var tensor in _graphs.Trained.Where(tensor => _session.InputMetadata.ContainsKey(tensor.Input)))
                trained[tensor.Input] = OrtTensors.ToOrt(Tensor.Of<double>([.. tensor.Initial.Dims], values[tensor.Name]));
            return _runs.Sum(run => run.Share * Of(run.Inputs.Concat(trained).ToDictionary(StringComparer.Ordinal)));
        }
        finally
        {
            foreach (var value in trained.Values) value.Dispose();
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        foreach (var value in _runs.SelectMany(run => run.Inputs.Values)) value.Dispose();
        _weights.Dispose();
    }

    private double Of(Dictionary<string, OrtValue> inputs)
    {
        using var options = OrtSettings.ToRunOptions();
        using var outputs = RuntimeErrors.WrapRun("the loss", () => _session.Run(options, inputs, _session.OutputNames));
        return outputs[0].GetTensorTypeAndShape().ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Double
            ? outputs[0].GetTensorDataAsSpan<double>()[0]
            : outputs[0].GetTensorDataAsSpan<float>()[0];
    }

    // The loss that gradients belong to: with a family's penalty, which evaluation leaves out.
    private static Model LossOf(TrainingGraphs graphs)
    {
        var model = graphs.Train.Clone();
        var loss = model.Graph.Find(TrainingNames.Loss)!;
        model.Graph.ClearOutputs();
        model.Graph.AddOutput(loss);
        model.Graph.RemoveUnused();
        DoublePrecision.Widen(model, graphs.Trained.Select(tensor => tensor.Input).ToHashSet(StringComparer.Ordinal));
        return model;
    }
}
