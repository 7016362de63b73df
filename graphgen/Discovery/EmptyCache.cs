using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Key/value caches with nothing in them: [rows, key/value heads, 0, head width]. A size that the file leaves open is read off the operators that use the cache.</summary>
/// <param name="model">The model.</param>
internal sealed class EmptyCache(Model model)
{
    private readonly Lazy<Model> _inferred = new(() =>
    {
        var copy = model.Clone();
        ShapeInference.Infer(copy.Graph);
        return copy;
    });

    /// <summary>Whether an input is a cache.</summary>
    public static bool Is(Value input) => input is { Shape.Rank: 4 } && input.Type.IsFloat();

    /// <summary>The present output that continues a cache; null where the graph has none.</summary>
    public static Value? PresentOf(Model model, Value past) =>
        past.Uses.SelectMany(use => use.Node.Outputs).OfType<Value>().FirstOrDefault(output => output.Shape is { Rank: 4 } && model.Graph.IsOutput(output))
        ?? model.Graph.Outputs.FirstOrDefault(output => output.Name == past.Name.Replace("past_key_values", "present", StringComparison.Ordinal));

    /// <summary>The empty cache for an input; null where heads or width are nowhere said.</summary>
    /// <param name="input">An input that is a cache.</param>
    /// <param name="rows">Rows of the batch.</param>
    public Tensor? For(Value input, long rows) =>
        PresentOf(model, input) is not null && Size(input, 1) is { } heads && Size(input, 3) is { } width ? Tensor.FromBytes(input.Type, [rows, heads, 0, width], Memory<byte>.Empty) : null;

    private long? Size(Value input, int axis) => input.Shape![axis].Value ?? PresentOf(_inferred.Value, _inferred.Value.Graph.Find(input.Name)!)?.Shape?[axis].Value;
}
