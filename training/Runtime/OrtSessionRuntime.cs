using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Trains with plain ONNX Runtime: one session that computes gradients, one that evaluates, one that steps. Frozen weights are
/// shared by the first two.</summary>
internal sealed class OrtSessionRuntime : IGradientRuntime
{
    private readonly TrainingGraphs _graphs;
    private readonly OrtWeights _weights = new();
    private readonly InferenceSession _train;
    private readonly InferenceSession _optimizer;
    private readonly Lazy<InferenceSession> _eval;
    private readonly List<MovingTensor> _moving;
    private readonly Dictionary<string, OrtValue> _frozen;
    private readonly ResidentInputs _trainedInputs;
    private readonly ResidentInputs _frozenInputs;
    private readonly BatchFeeds _feeds;
    private long _step;
    private int _microBatch;

    /// <summary>Opens the sessions.</summary>
    /// <param name="graphs">The graphs and the tensors that move.</param>
    /// <param name="settings">Device and threads; the optimizer always steps on the CPU, where the few trained tensors live.</param>
    /// <param name="dropout">Source of dropout masks.</param>
    public OrtSessionRuntime(TrainingGraphs graphs, OrtEngineOptions settings, DropoutMasks? dropout = null)
    {
        _graphs = graphs;
        _feeds = new BatchFeeds(dropout);
        _train = _weights.Open(graphs.Train, settings);
        _optimizer = _weights.Open(graphs.Optimizer, settings.OnCpu);
        _eval = new Lazy<InferenceSession>(() => _weights.Open(graphs.Eval, settings));   // training alone never opens it
        _moving = [.. graphs.Trained.Select(trained => new MovingTensor(trained, graphs.OptimizerState))];
        _frozen = graphs.Frozen.ToDictionary(frozen => frozen.Key, frozen => OrtTensors.ToOrt(frozen.Value), StringComparer.Ordinal);
        _trainedInputs = new ResidentInputs(settings, _weights, Trained());
        _frozenInputs = new ResidentInputs(settings, _weights, _frozen);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Gradients =>
        _moving.ToDictionary(moving => moving.Trained.Name, moving => OrtTensors.FromOrt(moving.Gradient), StringComparer.Ordinal);

    /// <inheritdoc/>
    public TrainingState State
    {
        get => new(_step, Buffers.ToDictionary(buffer => buffer.Name, buffer => buffer.Read(), StringComparer.Ordinal));
        set
        {
            _step = value.Step;
            foreach (var buffer in Buffers) buffer.Write(value.Tensors[buffer.Name]);
            _trainedInputs.Change(Trained());
        }
    }

    /// <inheritdoc/>
    public long StepCount => _step;

    /// <inheritdoc/>
    public void ClearGradients()
    {
        foreach (var moving in _moving) moving.GradientSpan.Clear();
        _microBatch = 0;
    }

    private IEnumerable<DoubleBuffer> Buffers => _moving.SelectMany(moving => moving.Buffers);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch) => new FittedBatch(batch, _graphs.Batches).Forward(Evaluate);

    /// <inheritdoc/>
    public double Accumulate(Batch batch, double weight) =>
        new FittedBatch(batch, _graphs.Batches).Runs.Sum(run => AccumulateRun(run.Batch, weight * run.Share));

    /// <inheritdoc/>
    public double? Step(double learningRateFactor)
    {
        using var binding = _optimizer.CreateIoBinding();
        using var rate = OrtTensors.ToOrt(OnnxTensor.Scalar((float)(_graphs.LearningRate * learningRateFactor)));
        using var step = OrtTensors.ToOrt(OnnxTensor.Scalar(++_step));
        using var norm = OrtTensors.ToOrt(OnnxTensor.Scalar(0f));
        binding.BindInput(OptimizerNames.LearningRate, rate);
        binding.BindInput(OptimizerNames.Step, step);
        foreach (var moving in _moving) binding.BindInput(OptimizerNames.Gradient(moving.Trained.Name), moving.Gradient);
        foreach (var buffer in Buffers)
        {
            binding.BindInput(buffer.Input, buffer.Current);
            binding.BindOutput(OptimizerNames.Next(buffer.Input), buffer.Next);
        }
        binding.BindOutput(OptimizerNames.GradientNorm, norm);
        using var options = OrtEngineOptions.ToRunOptions();
        RuntimeErrors.WrapRun("the optimizer step", () =>
        {
            _optimizer.RunWithBinding(options, binding);
            return true;
        });
        foreach (var moving in _moving) moving.Swap();
        _trainedInputs.Change(Trained());
        _microBatch = 0;
        return norm.GetTensorDataAsSpan<float>()[0];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainedInputs.Dispose();
        _frozenInputs.Dispose();
        _train.Dispose();
        _optimizer.Dispose();
        if (_eval.IsValueCreated) _eval.Value.Dispose();
        foreach (var moving in _moving) moving.Dispose();
        foreach (var value in _frozen.Values) value.Dispose();
        _weights.Dispose();
    }

    private IReadOnlyDictionary<string, OnnxTensor> Evaluate(Batch batch)
    {
        using var run = new OrtRun(_eval.Value);
        BindAll(run, _eval.Value, batch, weight: 1);
        return run.Evaluate();
    }

    private double AccumulateRun(Batch batch, double weight)
    {
        using var run = new OrtRun(_train);
        BindAll(run, _train, batch, weight);
        using var outputs = run.Run("the training step", [TrainingNames.Loss, .. _moving.Select(moving => moving.Trained.Gradient)]);
        for (var i = 0; i < _moving.Count; i++)
            TensorPrimitives.Add(_moving[i].GradientSpan, outputs[i + 1].GetTensorDataAsSpan<float>(), _moving[i].GradientSpan);
        _microBatch++;
        return weight * outputs[0].GetTensorDataAsSpan<float>()[0];
    }

    private void BindAll(OrtRun run, InferenceSession session, Batch batch, double weight)
    {
        _weights.CheckFiles();
        var names = _frozenInputs.Bind(run, _trainedInputs.Bind(run, session.InputNames));
        _feeds.Bind(run, session, names, batch, weight, (_step, _microBatch));
    }

    private Dictionary<string, OrtValue> Trained() =>
        _moving.ToDictionary(moving => moving.Trained.Input.ToString(), moving => moving.Value, StringComparer.Ordinal);
}
