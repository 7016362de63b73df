using System.Text;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>An attribute: <see cref="Value"/> is a float, long, byte[] (UTF-8), <see cref="OnnxTensor"/>, float[], long[], byte[][], or for
/// opaque ones the stored bytes.</summary>
internal sealed record Attr(AttrKind Kind, object Value)
{
    public static implicit operator Attr(long value) => new(AttrKind.Int, value);

    public static implicit operator Attr(float value) => new(AttrKind.Float, value);

    public static implicit operator Attr(string value) => new(AttrKind.String, Encoding.UTF8.GetBytes(value));

    public static implicit operator Attr(long[] value) => new(AttrKind.Ints, value);

    public static implicit operator Attr(OnnxTensor value) => new(AttrKind.Tensor, value);

    /// <summary>A text that is equal for equal attributes, for sharing equal nodes; null where equality is not known cheaply.</summary>
    public string? Key => Value switch
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
