using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>How a file keeps a matrix of few bits: codes in blocks, w = (code − zero point)·scale.</summary>
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
        var blocks = BlockRows >= Rows && BlockColumns >= Columns
            ? "one scale"
            : BlockRows == 1 && BlockColumns < Columns
                ? $"blocks of {BlockColumns}"
                : BlockColumns == 1 && BlockRows < Rows ? $"blocks of {BlockRows}" : "one scale per feature";
        return $"{(IsSigned ? string.Empty : "u")}int{Bits}, {blocks}";
    }

    /// <summary>Reads the layout off the canonical node that holds codes and scales.</summary>
    /// <param name="model">The model.</param>
    /// <param name="node"><c>MatMulNBits</c>, <c>GatherBlockQuantized</c>, or <c>DequantizeLinear</c> of constants.</param>
    /// <returns>Null where a part is no stored tensor of the file.</returns>
    internal static BlockLayout? Of(CanonicalModel model, Node node)
    {
        var (codesInput, scalesInput) = node.Op switch { OrtOps.MatMulNBits => (1, 2), OrtOps.GatherBlockQuantized => (0, 2), _ => (0, 1) };
        var (codes, scales, zero) = (node.Input(codesInput)!, node.Input(scalesInput)!, node.Input(scalesInput + 1));
        if (Stored(scales) is not { } scaleName || node.Source is not { } reader || (zero is not null && Stored(zero) is null)) return null;
        var layout = node.Op switch
        {
            OrtOps.MatMulNBits => OfBlocks(node),
            OrtOps.GatherBlockQuantized => OfTable(node, codes.Constant!),
            _ => OfAxis(node, codes.Constant!, model.Deployed.Graph.Find(scaleName)!.StoredTensor()!),
        };
        if (model.OriginOf(codes) is { IsTransposed: true })
        {
            // blocks of the stored codes would lie the other way
            if (layout.BlockRows < layout.Rows && layout.BlockColumns < layout.Columns) return null;
            layout = layout.Transposed();
        }
        return layout with { Reader = reader.Output.Name, Scales = scaleName, ZeroPoints = zero is null ? null : Stored(zero) };

        string? Stored(Value value) => model.OriginOf(value)?.Initializer;
    }

    /// <summary>All matrices of few bits that a model stores, by the stored tensor.</summary>
    internal static IReadOnlyDictionary<string, BlockLayout> In(CanonicalModel model)
    {
        var found = new Dictionary<string, BlockLayout>(StringComparer.Ordinal);
        foreach (var node in model.Model.Graph.Nodes)
        {
            if (CodesOf(node) is { } codes && model.OriginOf(codes) is { } origin && Of(model, node) is { } layout)
                found.TryAdd(origin.Initializer, layout);
        }
        return found;
    }

    private static Value? CodesOf(Node node) => node.Op switch
    {
        OrtOps.MatMulNBits when node.Input(1) is { IsConstant: true } codes && node.Input(2) is { IsConstant: true } => codes,
        OrtOps.GatherBlockQuantized when node.Input(0) is { IsConstant: true, Constant: { Rank: 2 } tensor } codes
            && IsInteger(tensor.Type) && node.Input(2) is { IsConstant: true } && IsTable(node) => codes,
        "DequantizeLinear" when node.Input(0) is { IsConstant: true, Constant: { Rank: 2 } tensor } codes && IsInteger(tensor.Type)
            && node.Input(1) is { IsConstant: true } => codes,
        _ => null,
    };

    private static bool IsTable(Node node) => node.Int("gather_axis", 0) == 0 && node.Int("quantize_axis", 1) is 1 or -1;

    private static bool IsInteger(ElementType type) =>
        type is ElementType.UInt4 or ElementType.Int4 or ElementType.UInt8 or ElementType.Int8;

    // One scale for all, or for each row, becomes one for all, or for each column.
    private BlockLayout Transposed() => this with
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
        var (rows, columns, bits, block) = (node.Int("N", 0), node.Int("K", 0), node.Int("bits", 4), node.Int("block_size", 0));
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
        var (rows, columns, block) = (codes.Dims[0], codes.Dims[1] * (isPacked ? 8 / bits : 1), node.Int("block_size", 128));
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
