using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>How a file keeps a low-bit matrix: codes in blocks, w = (code − zero point)·scale.</summary>
public sealed record BlockLayout
{
    /// <summary>First output of the deployed node that reads the scales.</summary>
    public required string Reader { get; init; }

    /// <summary>The tensor of scales, one for each block.</summary>
    public required string Scales { get; init; }

    /// <summary>The tensor of zero points; null = <see cref="DefaultZero"/> everywhere.</summary>
    public required string? ZeroPoints { get; init; }

    /// <summary>The zero point where none is stored: the middle of the codes for <c>MatMulNBits</c>, 0 for
    /// <c>DequantizeLinear</c>.</summary>
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
    public string Describe()
    {
        var blocks = BlockRows >= Rows && BlockColumns >= Columns ? "one scale"
            : BlockRows == 1 && BlockColumns < Columns ? $"blocks of {BlockColumns}"
            : BlockColumns == 1 && BlockRows < Rows ? $"blocks of {BlockRows}"
            : "one scale per feature";
        return $"{(IsSigned ? string.Empty : "u")}int{Bits}, {blocks}";
    }

    /// <summary>What a node says of its codes; where its tensors are stored is not in it.</summary>
    /// <param name="node"><c>MatMulNBits</c>, <c>GatherBlockQuantized</c>, or <c>DequantizeLinear</c>.</param>
    /// <param name="codes">Its codes.</param>
    /// <param name="scales">Its scales.</param>
    internal static BlockLayout Of(Node node, OnnxTensor codes, OnnxTensor scales) => node.Op switch
    {
        OrtOps.MatMulNBits => OfBlocks(node),
        OrtOps.GatherBlockQuantized => OfTable(node, codes),
        _ => OfAxis(node, codes, scales),
    };

    /// <summary>The layout of the transpose: one scale for all, or for each row, becomes one for all, or for each column.</summary>
    internal BlockLayout Transposed() => this with
    {
        Rows = Columns,
        Columns = Rows,
        BlockRows = BlockColumns,
        BlockColumns = BlockRows,
        RowBits = Rows * Bits,
        ZeroRowBits = (Rows + BlockRows - 1) / BlockRows * Bits,
    };

    // [N, ⌈K/block⌉, block·bits/8] bytes, zero points [N, ⌈K/block⌉] in whole bytes a row
    private static BlockLayout OfBlocks(Node node)
    {
        var rows = node.Int("N", 0);
        var columns = node.Int("K", 0);
        var bits = node.Int("bits", 4);
        var block = node.Int("block_size", 0);
        var blocks = (columns + block - 1) / block;
        return Empty with
        {
            Bits = (int)bits,
            DefaultZero = 1 << (int)(bits - 1),
            Rows = rows,
            Columns = columns,
            BlockRows = 1,
            BlockColumns = block,
            RowBits = blocks * block * bits,
            ZeroRowBits = ((blocks * bits) + 7) / 8 * 8,
        };
    }

    // A table [rows, columns] that is quantised along its rows; several codes lie in a byte, and zero points then fill whole bytes a row
    private static BlockLayout OfTable(Node node, OnnxTensor codes)
    {
        var isPacked = codes.Type == ElementType.UInt8;
        var bits = isPacked ? (int)node.Int("bits", 4) : codes.Type.Bits();
        var rows = codes.Dims[0];
        var columns = codes.Dims[1] * (isPacked ? 8 / bits : 1);
        var block = node.Int("block_size", 128);
        var blocks = (columns + block - 1) / block;
        return Empty with
        {
            Bits = bits,
            DefaultZero = isPacked ? 1 << (bits - 1) : 0,
            IsSigned = codes.Type is ElementType.Int4 or ElementType.Int8,
            Rows = rows,
            Columns = columns,
            BlockRows = 1,
            BlockColumns = block,
            RowBits = columns * bits,
            ZeroRowBits = isPacked ? ((blocks * bits) + 7) / 8 * 8 : blocks * bits,
        };
    }

    // One scale for all, one for each index along an axis, or one for each block along it
    private static BlockLayout OfAxis(Node node, OnnxTensor codes, OnnxTensor scales)
    {
        var rows = codes.Dims[0];
        var columns = codes.Dims[1];
        var bits = codes.Type.Bits();
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

    private static BlockLayout Empty { get; } = new()
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
