using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.GraphGen.Tests;

/// <summary>A graph under test, opened once in ONNX Runtime.</summary>
internal sealed class Ort : IDisposable
{
    private readonly InferenceSession _session;

    public Ort(OnnxModel model)
        : this(ModelWriter.ToBytes(model))
    {
    }

    /// <summary>A stored model, as it is.</summary>
    public Ort(byte[] model)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.AddSessionConfigEntry("session.qdq_matmulnbits_accuracy_level", "1");   // as the project's own runtime does
        _session = new InferenceSession(model, options);
    }

    /// <summary>An empty model at the canonical opset, and a tape on it.</summary>
    public static (OnnxModel Model, Tape Tape) New()
    {
        var model = new OnnxModel(new Graph("test"));
        (model.OpsetVersions[string.Empty], model.OpsetVersions["com.microsoft"]) = (21, 1);
        return (model, new Tape(model.Graph));
    }

    public static IReadOnlyDictionary<string, OnnxTensor> Run(OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> inputs)
    {
        using var session = new Ort(model);
        return session.Run(inputs);
    }

    public IReadOnlyDictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> inputs)
    {
        var values = inputs.Where(input => _session.InputMetadata.ContainsKey(input.Key)).ToDictionary(input => input.Key, input => ToOrt(input.Value));
        using var options = new RunOptions();
        using var outputs = _session.Run(options, values, _session.OutputNames);
        foreach (var value in values.Values) value.Dispose();
        return _session.OutputNames.Zip(outputs, (name, value) => (name, tensor: FromOrt(value))).ToDictionary(pair => pair.name, pair => pair.tensor);
    }

    public void Dispose() => _session.Dispose();

    private static OrtValue ToOrt(OnnxTensor tensor) => tensor.Type switch
    {
        ElementType.Float => Value<float>(tensor),
        ElementType.Double => Value<double>(tensor),
        ElementType.Int64 => Value<long>(tensor),
        ElementType.Bool => Value<bool>(tensor),
        _ => throw new ArgumentException($"{tensor}"),
    };

    private static OrtValue Value<T>(OnnxTensor tensor)
        where T : unmanaged => OrtValue.CreateTensorValueFromMemory(tensor.Span<T>().ToArray(), [.. tensor.Dims]);

    private static OnnxTensor FromOrt(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        return info.ElementDataType switch
        {
            Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float => OnnxTensor.Of(info.Shape, value.GetTensorDataAsSpan<float>()),
            Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Double => OnnxTensor.Of(info.Shape, value.GetTensorDataAsSpan<double>()),
            Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64 => OnnxTensor.Of(info.Shape, value.GetTensorDataAsSpan<long>()),
            _ => throw new ArgumentException($"{info.ElementDataType}"),
        };
    }
}
