using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Keys and values that come before those of a sequence, as a key/value cache would hold them. Every query sees them, whatever the
/// mask says.</summary>
/// <param name="Keys">[key/value heads, n, head width], without rotary embedding.</param>
/// <param name="Values">[key/value heads, n, head width].</param>
public sealed record PrecedingKeys(Expr Keys, Expr Values)
{
    /// <summary>The number of positions that the sequence moves on where keys carry a rotary embedding: n where positions count what a
    /// cache holds.</summary>
    public int Offset { get; init; }
}
