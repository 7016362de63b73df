using LoRTA.Onnx.GraphGen;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>What an adapter gives the inputs of a session, factors and scale, in the memory where the session reads them.</summary>
internal sealed class AdapterInputs : IDisposable
{
    private readonly Dictionary<string, OrtValue> _values;
    private readonly OrtWeights _weights = new();
    private readonly ResidentInputs _resident;

    /// <summary>Copies the tensors to where they are read.</summary>
    /// <param name="settings">The device that reads them.</param>
    /// <param name="tensors">By input.</param>
    public AdapterInputs(OrtEngineOptions settings, IReadOnlyDictionary<string, OnnxTensor> tensors)
    {
        _values = tensors.ToDictionary(pair => pair.Key, pair => OrtTensors.ToOrt(pair.Value), StringComparer.Ordinal);
        try
        {
            _resident = new ResidentInputs(settings, _weights, _values);
        }
        catch (Exception)
        {
            DisposeOfValues();
            throw;
        }
    }

    /// <summary>Binds all of them.</summary>
    public void Bind(OrtRun run) => _resident.Bind(run, [.. _values.Keys]);

    /// <summary>Whether an input is one of them.</summary>
    public bool Has(string input) => _values.ContainsKey(input);

    public void Dispose()
    {
        _resident.Dispose();
        DisposeOfValues();
    }

    private void DisposeOfValues()
    {
        foreach (var value in _values.Values) value.Dispose();
        _weights.Dispose();
    }
}
