using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Runtime;
using Microsoft.ML.OnnxRuntime;
using Tensor = LoRTA.Onnx.GraphGen.Ir.Tensor;

namespace LoRTA.Onnx.Training.Generation;

/// <summary>A decoder as it is deployed, reading one text: tokens in, logits of the next token out. Keys and values stay in the runtime: the outputs of a step are the inputs of the next.</summary>
internal sealed class Decoder : IDisposable
{
    private readonly string _name;
    private readonly DecoderPorts _ports;
    private readonly OrtWeights _weights = new();
    private readonly InferenceSession _session;
    private readonly List<int> _tokens = [];
    private IDisposableReadOnlyCollection<OrtValue>? _outputs;   // logits, then the cache

    /// <summary>Opens a model.</summary>
    /// <exception cref="LortaException">LRT612: ONNX Runtime cannot load it; LRT614, LRT620: no decoder.</exception>
    public Decoder(Model model, OrtSettings settings)
    {
        (_name, _ports) = (model.Path.Length > 0 ? model.Path : "the decoder", DecoderPorts.Of(model));
        _session = _weights.Open(model, settings);
    }

    /// <summary>Number of tokens that it predicts; null where the graph does not state it.</summary>
    public long? Vocabulary => _ports.Logits.Shape![2].Value;

    /// <summary>Forgets the text.</summary>
    public void Restart()
    {
        _tokens.Clear();
        _outputs?.Dispose();
        _outputs = null;
    }

    /// <summary>Reads more of the text.</summary>
    /// <param name="tokens">What follows the tokens that were read so far.</param>
    /// <returns>Logits [vocabulary] of the token after them.</returns>
    /// <exception cref="LortaException">LRT613: ONNX Runtime fails.</exception>
    public float[] Read(IReadOnlyList<int> tokens)
    {
        var start = _ports.Cache.Count > 0 ? _tokens.Count : 0;   // without a cache the whole text runs again
        _tokens.AddRange(tokens);
        using var run = new OrtRun(_session);
        foreach (var input in _ports.Text) run.Bind(input.Name, Text(input, start));
        for (var i = 0; i < _ports.Cache.Count; i++)
        {
            if (_outputs is null) run.Bind(_ports.Cache[i].Past, _ports.Cache[i].Empty);
            else run.Bind(_ports.Cache[i].Past, _outputs[i + 1]);
        }
        var outputs = run.Run(_name, [_ports.Logits.Name, .. _ports.Cache.Select(port => port.Present)]);
        _outputs?.Dispose();
        _outputs = outputs;
        return LastRow(outputs[0]);
    }

    public void Dispose()
    {
        _outputs?.Dispose();
        _session.Dispose();
        _weights.Dispose();
    }

    // [1, S] for the tokens from start on; the mask covers those in the cache too.
    private Tensor Text(Value input, int start)
    {
        var fresh = _tokens.Count - start;
        long[] values = input.Name switch
        {
            "input_ids" => [.. _tokens.Skip(start).Select(token => (long)token)],
            "attention_mask" => [.. Enumerable.Repeat(1L, _tokens.Count)],
            "position_ids" => [.. Enumerable.Range(start, fresh).Select(position => (long)position)],
            _ => new long[fresh],
        };
        long[] dims = [1, values.Length];
        return input.Type == ElementType.Int32 ? Tensor.Of<int>(dims, Array.ConvertAll(values, value => (int)value)) : Tensor.Of<long>(dims, values);
    }

    private static float[] LastRow(OrtValue logits)
    {
        var info = logits.GetTensorTypeAndShape();
        var row = new float[info.Shape[^1]];
        if ((ElementType)(int)info.ElementDataType == ElementType.Float) logits.GetTensorDataAsSpan<float>()[^row.Length..].CopyTo(row);
        else TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(logits.GetTensorMutableRawData())[^row.Length..], row);
        return row;
    }
}
