using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>An attribute of an operator, made from what it holds: <c>("axis", -1)</c>, <c>("mode", "linear")</c>.</summary>
[Experimental(Unsettled.Id)]
public sealed record OnnxAttribute
{
    internal OnnxAttribute(AttrKind kind, object value) => (Kind, Value) = (kind, value);

    internal AttrKind Kind { get; }

    /// <summary>A float, long, byte[] (UTF-8), <see cref="OnnxTensor"/>, float[], long[], byte[][], or for opaque ones the stored
    /// bytes.</summary>
    internal object Value { get; }

    /// <summary>An integer.</summary>
    public static implicit operator OnnxAttribute(long value) => new(AttrKind.Int, value);

    /// <summary>A float32.</summary>
    public static implicit operator OnnxAttribute(float value) => new(AttrKind.Float, value);

    /// <summary>A text.</summary>
    public static implicit operator OnnxAttribute(string value) => new(AttrKind.String, Encoding.UTF8.GetBytes(value));

    /// <summary>Integers.</summary>
    public static implicit operator OnnxAttribute(long[] value) => new(AttrKind.Ints, value);

    /// <summary>A tensor.</summary>
    public static implicit operator OnnxAttribute(OnnxTensor value) => new(AttrKind.Tensor, value);

    /// <summary>A text that is equal for equal attributes, for sharing equal nodes; null where equality is not known cheaply.</summary>
    internal string? Key => Value switch
    {
        long i => $"i{i}",
        float f => $"f{BitConverter.SingleToInt32Bits(f)}",
        byte[] s when Kind == AttrKind.String => $"s{Encoding.UTF8.GetString(s)}",
        long[] ints => $"I{string.Join(',', ints)}",
        _ => null,
    };
}

/// <summary>Kinds of attributes, with the format's own numbers; the rest (graphs, types, sparse tensors) is carried along unread.</summary>
internal enum AttrKind
{
    Opaque = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Floats = 6,
    Ints = 7,
    Strings = 8,
}
