using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>A decoder as it is deployed, reading one text: tokens in, logits of the next token out. Keys and values stay in the runtime:
/// the outputs of a step are the inputs of the next.</summary>
internal sealed class Decoder : IDisposable
{
    private readonly string _name;
    private readonly DecoderPorts _ports;
    private readonly InitialCache? _initial;
    private readonly OrtWeights _weights = new();
    private readonly InferenceSession _session;
    private readonly List<int> _tokens = [];
    private IDisposableReadOnlyCollection<OrtValue>? _outputs;   // logits, then the cache

    /// <summary>Opens a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="settings">Device and threads.</param>
    /// <param name="initial">What its cache holds before a text is read; null = nothing.</param>
    /// <exception cref="LortaException">LRT612: ONNX Runtime cannot load it; LRT614, LRT620: no decoder.</exception>
    public Decoder(OnnxModel model, OrtEngineOptions settings, InitialCache? initial = null)
    {
        _initial = initial;
        (_name, _ports) = (model.Path.Length > 0 ? model.Path : "the decoder", DecoderPorts.Of(model));
        _session = _weights.Open(model, settings);
    }

    /// <summary>Number of tokens that it predicts; null where the graph does not state it.</summary>
    public long? Vocabulary => _ports.Logits.Shape![2].Value;

    /// <summary>Most tokens that it reads where the export fixes the length; null = it fixes none.</summary>
    public int? Positions => _ports.Cache.Count > 0 ? null : _ports.Sizes.Length;

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
        if (_ports.Cache.Count == 0 || _ports.Sizes.Length is null) return ReadTogether(tokens);
        float[] logits = [];
        foreach (var token in tokens) logits = ReadTogether([token]);   // exported for one token at a time
        return logits;
    }

    public void Dispose()
    {
        _outputs?.Dispose();
        _session.Dispose();
        _weights.Dispose();
    }

    private float[] ReadTogether(IReadOnlyList<int> tokens)
    {
        var start = _ports.Cache.Count > 0 ? _tokens.Count : 0;   // without a cache the whole text runs again
        _tokens.AddRange(tokens);
        _weights.CheckFiles();
        using var run = new OrtRun(_session);
        var fresh = _tokens.Count - start;
        var inputs = Fitted(_ports.Text.ToDictionary(input => input.Name, input => Text(input.Name, start), StringComparer.Ordinal));
        foreach (var input in _ports.Text) run.Bind(input.Name, InputTypes.Converted(input.Name, inputs[input.Name], input.Type));
        for (var i = 0; i < _ports.Cache.Count; i++)
        {
            if (_outputs is null) run.Bind(_ports.Cache[i].Past, First(_ports.Cache[i]));
            else run.Bind(_ports.Cache[i].Past, _outputs[i + 1]);
        }
        var outputs = run.Run(_name, [_ports.Logits.Name, .. _ports.Cache.Select(port => port.Present)]);
        _outputs?.Dispose();
        _outputs = outputs;
        return Row(outputs[0], fresh);
    }

    private OnnxTensor First(CachePort port) => _initial is null
        ? port.Empty
        : InputTypes.Converted(port.Past, _initial.Tensors[port.Past], port.Empty.Type);

    // An export of a fixed size reads one row of it, padded on the right: what is read does not see the padding.
    private IReadOnlyDictionary<string, OnnxTensor> Fitted(IReadOnlyDictionary<string, OnnxTensor> inputs) => _ports.Cache.Count > 0
        ? inputs
        : _ports.Sizes.Cut(inputs, filler: 0).Inputs[0];

    // [1, S] for the tokens from start on; the mask covers those in the cache too.
    private OnnxTensor Text(string input, int start)
    {
        var fresh = _tokens.Count - start;
        long[] values = input switch
        {
            TextInputs.Ids => [.. _tokens.Skip(start).Select(token => (long)token)],
            TextInputs.Mask => [.. Enumerable.Repeat(1L, _tokens.Count + (_initial?.Length ?? 0))],
            TextInputs.Positions => [.. Enumerable.Range(start + (_initial?.Offset ?? 0), fresh).Select(position => (long)position)],
            _ => new long[fresh],
        };
        return OnnxTensor.Of<long>([1, values.Length], values);
    }

    // Logits behind the last token that was read; some models give no others.
    private static float[] Row(OrtValue logits, int read)
    {
        var info = logits.GetTensorTypeAndShape();
        var row = new float[info.Shape[^1]];
        var start = (int)Math.Min(read - 1, info.Shape[1] - 1) * row.Length;
        if ((ElementType)(int)info.ElementDataType == ElementType.Float)
        {
            logits.GetTensorDataAsSpan<float>().Slice(start, row.Length).CopyTo(row);
            return row;
        }
        var halves = MemoryMarshal.Cast<byte, Half>(logits.GetTensorMutableRawData());
        TensorPrimitives.ConvertToSingle(halves.Slice(start, row.Length), row);
        return row;
    }
}
