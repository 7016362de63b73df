using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Attention.Inputs;

/// <summary>What an input holds of a text.</summary>
internal enum TextRole
{
    None,
    Ids,
    Mask,
    Types,
    Positions,
    Cache,
}

/// <summary>The inputs of a model that hold text. An input is recognised by its name, and where the name says nothing by type, shape and
/// use: integers that are looked up in a table are ids, the only others of the shape [rows, length] are a mask.</summary>
/// <param name="model">The model.</param>
internal sealed class TextInputs(OnnxModel model)
{
    /// <summary>Token ids, int64 [rows, length] as all others.</summary>
    public const string Ids = "input_ids";

    /// <summary>1 where a token counts, 0 on padding.</summary>
    public const string Mask = "attention_mask";

    /// <summary>The text of a pair that a token belongs to.</summary>
    public const string Types = "token_type_ids";

    /// <summary>Position of a token in its row.</summary>
    public const string Positions = "position_ids";

    /// <summary>Token ids of the other side of a translation.</summary>
    public const string DecoderIds = "decoder_input_ids";

    /// <summary>Their mask.</summary>
    public const string DecoderMask = "decoder_attention_mask";

    private static readonly string[] PastPrefixes = ["past_key_values", "past"];
    private static readonly string[] PresentPrefixes = ["present", "present_key_values"];

    private readonly Lazy<OnnxModel> _inferred = new(() =>
    {
        var copy = model.Clone();
        ShapeInference.Infer(copy.Graph);
        return copy;
    });

    /// <summary>What an input of a name holds; the names do not tell caches.</summary>
    public static TextRole RoleOf(string name) => name switch
    {
        Ids or DecoderIds => TextRole.Ids,
        Mask or DecoderMask => TextRole.Mask,
        Types => TextRole.Types,
        Positions => TextRole.Positions,
        _ => TextRole.None,
    };

    /// <summary>What goes with ids [rows, length] where nothing else is said: all tokens count, positions begin at 0.</summary>
    public static IReadOnlyDictionary<string, OnnxTensor> DefaultsFor(long rows, long length)
    {
        OnnxTensor Of(Func<long, long> value) =>
            OnnxTensor.Of<long>([rows, length], [.. Enumerable.Range(0, checked((int)(rows * length))).Select(i => value(i % length))]);
        return new SortedDictionary<string, OnnxTensor>(StringComparer.Ordinal)
        {
            [Mask] = Of(_ => 1),
            [Types] = Of(_ => 0),
            [Positions] = Of(position => position),
        };
    }

    /// <summary>The inputs of a graph that have no default.</summary>
    public static IEnumerable<Value> Fed(Graph graph) => graph.Inputs.Where(input => input.Constant is null);

    /// <summary>Whether an input of a type and a rank is a key/value cache.</summary>
    public static bool IsCache(ElementType type, int? rank) => rank == 4 && type.IsFloat();

    /// <summary>A key/value cache with nothing in it.</summary>
    public static OnnxTensor EmptyCache(ElementType type, long rows, long heads, long width) =>
        OnnxTensor.FromBytes(type, [rows, heads, 0, width], Memory<byte>.Empty);

    /// <summary>The output that continues a cache, by name: past_key_values.0.key ↔ present.0.key and the like; null where the graph has
    /// none.</summary>
    public static Value? PresentNamedAs(OnnxModel model, Value past) =>
        (from prefix in PastPrefixes
         where past.Name.StartsWith(prefix, StringComparison.Ordinal)
         from present in PresentPrefixes
         from output in model.Graph.Outputs
         where output.Name == present + past.Name[prefix.Length..] && output.Type == past.Type
         select output).FirstOrDefault();

    /// <summary>The input that says which positions count; null where there is none.</summary>
    public Value? MaskInput => model.Graph.Find(Mask) is { IsInput: true } named ? named : UnnamedMask;

    // Of numbers that are looked up nowhere, one input can only be the mask; of two nobody knows which.
    private Value? UnnamedMask => Fed(model.Graph).Where(input =>
        IsRow(input) && RoleOf(input.Name) is TextRole.None or TextRole.Mask
        && TokenEmbedding.Rows(input) is null).ToList() is [var single] ? single : null;

    /// <summary>What an input holds.</summary>
    public TextRole RoleOf(Value input) => RoleOf(input.Name) is var role && role != TextRole.None ? role
        : IsCache(input.Type, input.Shape?.Rank) ? TextRole.Cache
        : IsRow(input) && TokenEmbedding.Rows(input) is not null ? TextRole.Ids
        : input == UnnamedMask ? TextRole.Mask : TextRole.None;

    /// <summary>The empty cache for an input; null where heads or width, if the file leaves them open, are not said by the operators that
    /// use the cache either.</summary>
    /// <param name="input">An input that is a cache.</param>
    /// <param name="rows">Rows of the batch.</param>
    public OnnxTensor? EmptyCache(Value input, long rows) =>
        PresentOf(model, input) is not null && Size(input, 1) is { } heads && Size(input, 3) is { } width
            ? EmptyCache(input.Type, rows, heads, width)
            : null;

    // [rows, length] of integers.
    private static bool IsRow(Value input) => input is { Type: ElementType.Int64 or ElementType.Int32, Shape.Rank: 2 };

    // An output of the same operator has the same sizes, whatever it is called.
    private static Value? PresentOf(OnnxModel model, Value past) =>
        PresentNamedAs(model, past) ?? past.Uses.SelectMany(use => use.Node.Outputs).OfType<Value>()
            .FirstOrDefault(output => output.Shape is { Rank: 4 } && model.Graph.IsOutput(output));

    private long? Size(Value input, int axis) => input.Shape![axis].Value
        ?? PresentOf(_inferred.Value, _inferred.Value.Graph.Find(input.Name)!)?.Shape?[axis].Value;
}
