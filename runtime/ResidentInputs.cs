using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>Inputs that stay the same for several runs, in the memory where the graphs read them: on CUDA each is copied to the card when
/// it changes, not in every run.</summary>
internal sealed class ResidentInputs : IDisposable
{
    private readonly InferenceSession? _copy;   // y = x for each input: only a session's own results can lie in a card's memory
    private readonly OrtMemoryInfo? _card;
    private IReadOnlyDictionary<string, OrtValue> _values;
    private IDisposableReadOnlyCollection<OrtValue>? _copies;

    /// <summary>Takes the inputs.</summary>
    /// <param name="settings">The device that reads them.</param>
    /// <param name="weights">Opens the session that copies.</param>
    /// <param name="values">The inputs by name, in the CPU's memory; whoever gives them keeps them.</param>
    public ResidentInputs(OrtEngineOptions settings, OrtWeights weights, IReadOnlyDictionary<string, OrtValue> values)
    {
        _values = values;
        if (!settings.IsCuda || values.Count == 0) return;
        _copy = weights.Open(CopyOf(values), settings);
        _card = new OrtMemoryInfo(
            OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, settings.DeviceIndex(), OrtMemType.Default);
        try
        {
            Change(values);
        }
        catch (Exception)   // no room on the card
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Gives the inputs new values.</summary>
    public void Change(IReadOnlyDictionary<string, OrtValue> values)
    {
        _values = values;
        if (_copy is null) return;
        _copies?.Dispose();
        using var run = new OrtRun(_copy);
        foreach (var (name, value) in values) run.Bind(name, value);
        _copies = run.Run("the copy to the card", _copy.OutputNames, _card);
        _values = _copy.InputNames.Zip(_copies).ToDictionary(StringComparer.Ordinal);   // outputs stand in the order of the inputs
    }

    /// <summary>Binds those inputs that a session has.</summary>
    /// <returns>The session's other inputs.</returns>
    public IReadOnlyList<string> Bind(OrtRun run, IReadOnlyList<string> wanted)
    {
        foreach (var name in wanted) if (_values.TryGetValue(name, out var value)) run.Bind(name, value);
        return [.. wanted.Where(name => !_values.ContainsKey(name))];
    }

    public void Dispose()
    {
        _copies?.Dispose();
        _copy?.Dispose();
        _card?.Dispose();
    }

    private static OnnxModel CopyOf(IReadOnlyDictionary<string, OrtValue> values)
    {
        var graph = new Graph("copy");
        var tape = new Tape(graph, onnxOnly: true);
        foreach (var (name, value) in values)
        {
            var info = value.GetTensorTypeAndShape();
            var input = graph.AddInput(name, (ElementType)(int)info.ElementDataType, [.. info.Shape.Select(size => new Dim(size))]);
            graph.AddOutput(tape.Op("Identity", [tape[input]]).Value);
        }
        var model = new OnnxModel(graph);
        model.OpsetVersions[string.Empty] = 21;
        return model;
    }
}
