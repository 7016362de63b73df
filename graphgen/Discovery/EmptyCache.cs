using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Key/value caches with nothing in them: [rows, key/value heads, 0, head width]. A size that the file leaves open is read off the operators that use the cache.</summary>
/// <param name="model">The model.</param>
internal sealed class EmptyCache(OnnxModel model)
{
    private static readonly string[] PastPrefixes = ["past_key_values", "past"];
    private static readonly string[] PresentPrefixes = ["present", "present_key_values"];

    private readonly Lazy<OnnxModel> _inferred = new(() =>
    {
        var copy = model.Clone();
        ShapeInference.Infer(copy.Graph);
        return copy;
    });

    /// <summary>Whether an input is a cache.</summary>
    public static bool Is(Value input) => input is { Shape.Rank: 4 } && input.Type.IsFloat();

    /// <summary>The output that continues a cache, by name: past_key_values.0.key ↔ present.0.key and the like; null where the graph has none.</summary>
    public static Value? PresentNamedAs(OnnxModel model, Value past) =>
        (from prefix in PastPrefixes
         where past.Name.StartsWith(prefix, StringComparison.Ordinal)
         from present in PresentPrefixes
         select model.Graph.Outputs.FirstOrDefault(output => output.Name == present + past.Name[prefix.Length..] && output.Type == past.Type)).FirstOrDefault(output => output is not null);

    /// <summary>The empty cache for an input; null where heads or width are nowhere said.</summary>
    /// <param name="input">An input that is a cache.</param>
    /// <param name="rows">Rows of the batch.</param>
    public OnnxTensor? For(Value input, long rows) =>
        PresentOf(model, input) is not null && Size(input, 1) is { } heads && Size(input, 3) is { } width ? OnnxTensor.FromBytes(input.Type, [rows, heads, 0, width], Memory<byte>.Empty) : null;

    // An output of the same operator has the same sizes, whatever it is called.
    private static Value? PresentOf(OnnxModel model, Value past) =>
        PresentNamedAs(model, past) ?? past.Uses.SelectMany(use => use.Node.Outputs).OfType<Value>().FirstOrDefault(output => output.Shape is { Rank: 4 } && model.Graph.IsOutput(output));

    private long? Size(Value input, int axis) => input.Shape![axis].Value ?? PresentOf(_inferred.Value, _inferred.Value.Graph.Find(input.Name)!)?.Shape?[axis].Value;
}
