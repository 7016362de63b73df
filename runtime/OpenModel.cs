using LoRTA.Onnx.GraphGen;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>A model that is open in ONNX Runtime. Any thread may run it.</summary>
internal sealed class OpenModel : IDisposable
{
    private readonly OrtWeights _weights = new();

    /// <summary>Opens a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="settings">Device and threads.</param>
    /// <exception cref="LortaException">LRT612: ONNX Runtime cannot load it; LRT615: no room for temporary files.</exception>
    public OpenModel(OnnxModel model, OrtEngineOptions settings)
    {
        Name = model.Path.Length > 0 ? model.Path : "a graph";
        Session = _weights.Open(model, settings);
    }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    public InferenceSession Session { get; }

    /// <summary>Begins a run.</summary>
    /// <exception cref="LortaException">LRT140: a file that it reads from was shortened.</exception>
    public OrtRun Begin()
    {
        _weights.CheckFiles();
        return new OrtRun(Session);
    }

    public void Dispose()
    {
        Session.Dispose();
        _weights.Dispose();
    }
}
