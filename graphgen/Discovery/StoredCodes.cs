using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>How a file keeps a matrix of few bits: codes in blocks, w = (code − zero point)·scale.</summary>
public sealed record StoredCodes
{
    /// <summary>First output of the deployed node that reads the scales.</summary>
    public required string Reader { get; init; }

    /// <summary>The tensor of scales, one for each block.</summary>
    public required string Scales { get; init; }

    /// <summary>The tensor of zero points; null = <see cref="DefaultZero"/> everywhere.</summary>
    public required string? ZeroPoints { get; init; }

    /// <summary>The zero point where none is stored: the middle of the codes for <c>MatMulNBits</c>, 0 for <c>DequantizeLinear</c>.</summary>
    public required int DefaultZero { get; init; }

    /// <summary>Bits of a code.</summary>
    public required int Bits { get; init; }

    /// <summary>Whether codes are signed.</summary>
    public required bool IsSigned { get; init; }

    /// <summary>Rows of the stored matrix.</summary>
    public required long Rows { get; init; }

    /// <summary>Columns of the stored matrix.</summary>
    public required long Columns { get; init; }

    /// <summary>Rows of one block.</summary>
    public required long BlockRows { get; init; }

    /// <summary>Columns of one block.</summary>
    public required long BlockColumns { get; init; }

    /// <summary>Bits from one stored row of codes to the next.</summary>
    public required long RowBits { get; init; }

    /// <summary>Bits from one stored row of zero points to the next.</summary>
    public required long ZeroRowBits { get; init; }

    /// <summary>Type and blocks, for people: <c>int4 in blocks of 32</c>.</summary>
    public string Describe() =>
        $"{(IsSigned ? string.Empty : "u")}int{Bits}, {(BlockRows >= Rows && BlockColumns >= Columns ? "one scale" : BlockRows == 1 && BlockColumns < Columns ? $"blocks of {BlockColumns}" : BlockColumns == 1 && BlockRows < Rows ? $"blocks of {BlockRows}" : "one scale per feature")}";

    /// <summary>Reads the layout off the canonical node that holds codes and scales.</summary>
    /// <param name="model">The model.</param>
    /// <param name="node"><c>MatMulNBits</c>, or <c>DequantizeLinear</c> of constants.</param>
    /// <returns>Null where a part is no stored tensor of the file.</returns>
    internal static StoredCodes? Of(CanonicalModel model, Node node)
    {
        var isBlocked = node.OpType == "MatMulNBits";
        var (codes, scales, zero) = (node.Input(isBlocked ? 1 : 0)!, node.Input(isBlocked ? 2 : 1)!, node.Input(isBlocked ? 3 : 2));
        if (Stored(scales) is not { } scaleName || node.Source is not { } reader || (zero is not null && (Stored(zero) is null || zero.Type.IsFloat()))) return null;
        if (model.OriginOf(codes) is { Transposed: true }) return null;   // blocks of the stored codes would lie the other way
        var layout = isBlocked ? OfBlocks(node) : OfAxis(node, codes.Constant!, scales.Constant!);
        return layout with { Reader = reader.Output.Name, Scales = scaleName, ZeroPoints = zero is null ? null : Stored(zero) };

        string? Stored(Value value) => model.OriginOf(value)?.Initializer;
    }

    // [N, ⌈K/block⌉, block·bits/8] bytes, zero points [N, ⌈K/block⌉] in whole bytes a row
    private static StoredCodes OfBlocks(Node node)
    {
        var (rows, columns, bits, block) = (node.Int("N", 0), node.Int("K", 0), node.Int("bits", 4), node.Int("block_size", 0));
        var blocks = (columns + block - 1) / block;
        return Empty with { Bits = (int)bits, DefaultZero = 1 << (int)(bits - 1), Rows = rows, Columns = columns, BlockRows = 1, BlockColumns = block, RowBits = blocks * block * bits, ZeroRowBits = ((blocks * bits) + 7) / 8 * 8 };
    }

    // One scale for all, one for each index along an axis, or one for each block along it
    private static StoredCodes OfAxis(Node node, Tensor codes, Tensor scales)
    {
        var (rows, columns, bits) = (codes.Dims[0], codes.Dims[1], codes.Type.Bits());
        var isAlongRows = node.Int("axis", 1) is 0 or -2;
        var (blockRows, blockColumns) = (scales.Count, node.Int("block_size", 0)) switch
        {
            (1, _) => (rows, columns),
            (_, > 0 and var block) => isAlongRows ? (block, 1L) : (1L, block),
            _ => isAlongRows ? (1L, columns) : (rows, 1L),
        };
        return Empty with
        {
            Bits = bits,
            IsSigned = codes.Type is ElementType.Int8 or ElementType.Int4,
            Rows = rows,
            Columns = columns,
            BlockRows = blockRows,
            BlockColumns = blockColumns,
            RowBits = columns * bits,
            ZeroRowBits = (columns + blockColumns - 1) / blockColumns * bits,
        };
    }

    private static StoredCodes Empty { get; } = new()
    {
        Reader = string.Empty,
        Scales = string.Empty,
        ZeroPoints = null,
        DefaultZero = 0,
        Bits = 0,
        IsSigned = false,
        Rows = 0,
        Columns = 0,
        BlockRows = 0,
        BlockColumns = 0,
        RowBits = 0,
        ZeroRowBits = 0,
    };
}
