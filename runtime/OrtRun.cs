using LoRTA.Onnx.GraphGen;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>One call of a session: inputs are bound by name, then it runs. Owns the copies of inputs that it made.</summary>
internal sealed class OrtRun(InferenceSession session) : IDisposable
{
    private readonly OrtIoBinding _binding = session.CreateIoBinding();
    private readonly List<OrtValue> _owned = [];

    public void Bind(string name, OnnxTensor tensor)
    {
        _owned.Add(OrtTensors.ToOrt(tensor));
        _binding.BindInput(name, _owned[^1]);
    }

    /// <summary>Binds a value that the caller keeps.</summary>
    public void Bind(string name, OrtValue value) => _binding.BindInput(name, value);

    /// <summary>Runs and gives the outputs in the order of <paramref name="outputs"/>; the caller disposes them.</summary>
    /// <param name="what">What runs, for the message of a failure.</param>
    /// <param name="outputs">Names of the outputs.</param>
    /// <param name="place">The memory that takes them; null = the CPU's.</param>
    public IDisposableReadOnlyCollection<OrtValue> Run(string what, IEnumerable<string> outputs, OrtMemoryInfo? place = null)
    {
        foreach (var name in outputs) _binding.BindOutputToDevice(name, place ?? OrtMemoryInfo.DefaultInstance);
        using var options = OrtEngineOptions.ToRunOptions();
        using var stopping = StopRequest.Token.Register(() => options.Terminate = true);
        return RuntimeErrors.WrapRun(what, () => session.RunWithBoundResults(options, _binding));
    }

    /// <summary>Runs and gives copies of all outputs by name.</summary>
    /// <param name="what">What runs, for the message of a failure.</param>
    public IReadOnlyDictionary<string, OnnxTensor> Evaluate(string what = "evaluation")
    {
        using var outputs = Run(what, session.OutputNames);
        return session.OutputNames.Zip(outputs, (name, value) => (name, OrtTensors.FromOrt(value)))
            .ToDictionary(pair => pair.name, pair => pair.Item2, StringComparer.Ordinal);
    }

    public void Dispose()
    {
        _binding.Dispose();
        foreach (var value in _owned) value.Dispose();
    }
}
