using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>The moments of AdamW beside a runtime that does not tell its own, from the gradients that it is given too.</summary>
internal sealed class HostMoments
{
    private readonly OptimizerOptions _options;
    private readonly IReadOnlyList<OrtParameter> _parameters;
    private readonly List<double[]> _sums;
    private readonly List<double[]> _first;
    private readonly List<double[]> _second;
    private long _step;

    /// <summary>Begins as a checkpoint says.</summary>
    public HostMoments(OrtCheckpoint checkpoint, OptimizerOptions options)
    {
        (_options, _parameters) = (options, checkpoint.Trained);
        var group = checkpoint.Groups.Count > 0 ? checkpoint.Groups[0] : null;
        _step = group?.Step ?? 0;
        _sums = Of(moment: null);
        _first = Of(OrtParameterState.First);
        _second = Of(OrtParameterState.Second);

        List<double[]> Of(string? moment) => [.. _parameters.Select(parameter =>
            group?.States.Single(state => state.Parameter == parameter.Name).Moments.FirstOrDefault(stored => stored.Name == moment) is { } stored
                ? Array.ConvertAll(stored.Value.ToFloats(), number => (double)number)
                : new double[parameter.Value.Count])];
    }

    public void Add(IReadOnlyList<OnnxTensor> gradients)
    {
        foreach (var (sum, gradient) in _sums.Zip(gradients))
            Add(sum, gradient.ToFloats());
    }

    private static void Add(double[] sum, float[] gradient)
    {
        for (var i = 0; i < sum.Length; i++) sum[i] += gradient[i];
    }

    public void Clear() => _sums.ForEach(Array.Clear);

    public void Step()
    {
        var norm = Math.Sqrt(_sums.Sum(sum => sum.Sum(g => g * g)));
        var clip = _options.Clip is { } limit ? Math.Min(1, limit / (norm + 1e-6)) : 1;
        for (var tensor = 0; tensor < _sums.Count; tensor++)
            for (var i = 0; i < _sums[tensor].Length; i++)
            {
                var g = _sums[tensor][i] * clip;
                Move(ref _first[tensor][i], g, _options.Betas[0]);
                Move(ref _second[tensor][i], g * g, _options.Betas[1]);
            }
        _step++;
        Clear();
    }

    public OrtOptimizerGroup ToGroup() => new(OrtCheckpoint.Group, _step, (float)_options.LearningRate,
        [.. _parameters.Select((parameter, tensor) => new OrtParameterState(
            parameter.Name,
            [Written(OrtParameterState.First, _first[tensor], parameter), Written(OrtParameterState.Second, _second[tensor], parameter)]))]);

    private static void Move(ref double mean, double number, double beta) => mean = (beta * mean) + ((1 - beta) * number);

    private static OrtParameter Written(string moment, double[] numbers, OrtParameter parameter) =>
        new(moment, OnnxTensor.Of<float>([.. parameter.Value.Dims], Array.ConvertAll(numbers, number => (float)number)));
}
