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
/// <param name="ports">What goes in and comes out.</param>
/// <param name="model">The model; whoever gives it keeps it.</param>
/// <param name="adapter">What an adapter gives its inputs; null = it has no such inputs.</param>
/// <param name="initial">What its cache holds before the text is read; null = nothing.</param>
internal sealed class Decoder(DecoderPorts ports, OpenModel model, AdapterInputs? adapter, InitialCache? initial) : IDisposable
{
    private readonly List<int> _tokens = [];
    private IDisposableReadOnlyCollection<OrtValue>? _outputs;   // logits, then the cache

    /// <summary>Reads more of the text.</summary>
    /// <param name="tokens">What follows the tokens that were read so far.</param>
    /// <returns>Logits [vocabulary] of the token after them.</returns>
    /// <exception cref="LortaException">LRT613: ONNX Runtime fails.</exception>
    public float[] Read(IReadOnlyList<int> tokens)
    {
        if (ports.Cache.Count == 0 || ports.Sizes.Length is null) return ReadTogether(tokens);
        float[] logits = [];
        foreach (var token in tokens) logits = ReadTogether([token]);   // exported for one token at a time
        return logits;
    }

    public void Dispose() => _outputs?.Dispose();

    private float[] ReadTogether(IReadOnlyList<int> tokens)
    {
        var start = ports.Cache.Count > 0 ? _tokens.Count : 0;   // without a cache the whole text runs again
        _tokens.AddRange(tokens);
        using var run = model.Begin();
        adapter?.Bind(run);
        var fresh = _tokens.Count - start;
        var inputs = Fitted(ports.Text.ToDictionary(input => input.Name, input => Text(input.Name, start), StringComparer.Ordinal));
        foreach (var input in ports.Text) run.Bind(input.Name, InputTypes.Converted(input.Name, inputs[input.Name], input.Type));
        for (var i = 0; i < ports.Cache.Count; i++)
        {
            if (_outputs is null) run.Bind(ports.Cache[i].Past, First(ports.Cache[i]));
            else run.Bind(ports.Cache[i].Past, _outputs[i + 1]);
        }
        var outputs = run.Run(model.Name, [ports.Logits.Name, .. ports.Cache.Select(port => port.Present)]);
        _outputs?.Dispose();
        _outputs = outputs;
        return Row(outputs[0], fresh);
    }

    private OnnxTensor First(CachePort port) => initial is null
        ? port.Empty
        : InputTypes.Converted(port.Past, initial.Tensors[port.Past], port.Empty.Type);

    // An export of a fixed size reads one row of it, padded on the right: what is read does not see the padding.
    private IReadOnlyDictionary<string, OnnxTensor> Fitted(IReadOnlyDictionary<string, OnnxTensor> inputs) => ports.Cache.Count > 0
        ? inputs
        : ports.Sizes.Cut(inputs, filler: 0).Inputs[0];

    // [1, S] for the tokens from start on; the mask covers those in the cache too.
    private OnnxTensor Text(string input, int start)
    {
        var fresh = _tokens.Count - start;
        long[] values = input switch
        {
            TextInputs.Ids => [.. _tokens.Skip(start).Select(token => (long)token)],
            TextInputs.Mask => [.. Enumerable.Repeat(1L, _tokens.Count + (initial?.Length ?? 0))],
            TextInputs.Positions => [.. Enumerable.Range(start + (initial?.Offset ?? 0), fresh).Select(position => (long)position)],
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
