using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
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
        SmoothLoss.Make(model, graphs.Trained.ToDictionary(
            tensor => tensor.Input.ToString(), tensor => tensor.Initial, StringComparer.Ordinal));
        return model;
    }
}
