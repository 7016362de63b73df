using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of matrix products. Notation: a, b inputs, y output, g = ∂loss/∂y.</summary>
internal static class ProductRules
{
    private const long Widened = 1 << 23;   // weights that are float32 at one time: 32 MB

    public static readonly GradientRule[] All =
    [
        new("MatMul", r =>
        {
            var (a, b) = r;
            return a.Rank == 1 || b.Rank == 1 ? Vectors(a, b, r.G) : Product(a, b, r.G);
        }),
        new(OrtOps.FusedMatMul, r =>
        {
            var (a, b) = r;
            if (r.Flag("transBatchA") || r.Flag("transBatchB")) throw r.Refusal("it moves batch axes (transBatchA, transBatchB)");
            return Product(a, b, r.G, r.Flag("transA"), r.Flag("transB"), r.Float("alpha", 1));
        }),
        new("Gemm", r =>
        {
            var (a, b) = r;
            var beta = r.Float("beta", 1);
            var product = Product(a, b, r.G, r.Flag("transA"), r.Flag("transB"), r.Float("alpha", 1));
            return [.. product, r.Input(2) is { } c ? r.G.SumTo(c).Scaled(beta) : null];
        }),
        new("Einsum", EinsumRule.Gradients),
        new(OrtOps.MatMulNBits, Quantized),
    ];

    // y = α·a·b  ⇒  ā = α·g·bᵀ, b̄ = α·aᵀ·g; with transposed operands accordingly. A rank-2 b is a weight: one flat product, not a batch of
    // products to be summed.
    private static Expr?[] Product(Expr a, Expr b, Expr g, bool transA = false, bool transB = false, float alpha = 1)
    {
        var weight = LateDequantize.After(b, g);
        var (left, right) = (transA ? a.T : a, transB ? weight.T : weight);
        var (rows, columns) = b.Rank == 2 && a.Rank > 2 && !transA ? (a.Rows(), g.Rows()) : (left, g);
        return
        [
            transA ? right.MatMul(g.T, alpha) : g.MatMul(right.T, alpha),
            transB ? columns.T.MatMul(rows, alpha) : rows.T.MatMul(columns, alpha),
        ];
    }

    // A vector is a row on the left, a column on the right.
    private static Expr?[] Vectors(Expr a, Expr b, Expr g)
    {
        var (row, column) = (a.Rank == 1 ? a.Unsqueeze(0) : a, b.Rank == 1 ? b.Unsqueeze(1) : b);
        if (b.Rank == 1) g = g.Unsqueeze(-1);
        if (a.Rank == 1) g = g.Unsqueeze(-2);
        var parts = Product(row, column, g);
        return [parts[0]!.Value.SumTo(row).ReshapeLike(a), parts[1]!.Value.SumTo(column).ReshapeLike(b)];
    }

    // y = a·Wᵀ + bias, W [N, K] of 4 or 8 bits in blocks along K  ⇒  ā = g·W, with W taken from the same bytes; the frozen W and what
    // describes it get none.
    private static IReadOnlyList<Expr?> Quantized(GradientCall r)
    {
        var bits = (int)r.Int("bits", 4);
        var rows = r.Int("N", 0);
        var columns = r.Int("K", 0);
        var block = r.Int("block_size", 0);
        if (bits is not (4 or 8)) throw r.Refusal($"weights of {bits} bits");
        if (r.Input(4) is not null) throw r.Refusal("its columns are permuted (g_idx)");
        var (type, blocks) = (bits == 4 ? ElementType.UInt4 : ElementType.UInt8, (columns + block - 1) / block);
        var (codes, scales) = (Bytes(r, 1).As(type, [rows, blocks * block]), r.Input(2)!.Value.Reshape(rows, blocks));
        var zeros = HasFloatZeros(r) ? null : ZeroPoints(r, type, rows, blocks);
        var step = Math.Max(2, Widened / (blocks * block) / 2 * 2);   // an even number of rows is whole bytes
        var parts = new List<Expr>();
        for (var start = 0L; start < rows; start += step) parts.Add(Part(start, Math.Min(rows, start + step)));
        if (zeros is null) parts.Add(-ZeroPart());
        return [parts.Aggregate((a, b) => a + b), null, null, null, null, r.Input(5) is null ? null : r.G];

        // Rows start … end − 1 of W, widened for this product alone
        Expr Part(long start, long end)
        {
            var (g, all) = (r.G, end - start == rows);
            if (!all) g = g.Slice(-1, start, end);
            var stored = r.Tape.Constant(codes.Rows(start, end));
            stored.Value.IsExternal = r.Input(1)!.Value.Value.IsExternal;
            var scale = LateDequantize.Scale(all ? scales : scales.Slice(0, start, end), g);
            Expr?[] inputs = [stored, scale, zeros is null ? null : r.Tape.Constant(zeros.Rows(start, end))];
            var weight = r.Tape.Op("DequantizeLinear", inputs, ("axis", 1), ("block_size", block));
            return g.MatMul(columns % block == 0 ? weight : weight.Slice(1, 0, columns));   // the last block of a row is filled up
        }

        // g·(z∘scale), which is the same for all columns of a block: [.., N]·[N, blocks], repeated
        Expr ZeroPart()
        {
            var each = r.G.MatMul(r.Input(3)!.Value.Reshape(rows, blocks) * scales).Unsqueeze(-1);
            var repeated = each * r.Tape.Constant(OnnxTensor.Of<float>([block], Enumerable.Repeat(1f, (int)block).ToArray()));
            long[] flat = [.. Enumerable.Repeat(0L, r.G.Rank - 1), blocks * block];
            var whole = repeated.Reshape(flat);
            return columns % block == 0 ? whole : whole.Slice(-1, 0, columns);
        }
    }

    // Zero points in the type of a lie between codes.
    private static bool HasFloatZeros(GradientCall r) => r.Input(3)?.Type.IsFloat() == true;

    // MatMulNBits starts each row of zero points at a whole byte, DequantizeLinear does not.
    private static OnnxTensor ZeroPoints(GradientCall r, ElementType type, long rows, long blocks)
    {
        var (bits, count) = (type.Bits(), rows * blocks);
        if (r.Input(3) is null)
        {
            var middle = (byte)(bits == 4 ? 0x88 : 0x80);
            return OnnxTensor.FromBytes(type, [rows, blocks], Enumerable.Repeat(middle, (int)type.Bytes(count)).ToArray());
        }
        var stored = Bytes(r, 3);
        if (bits == 8 || blocks % 2 == 0) return stored.As(type, [rows, blocks]);
        var packed = new byte[type.Bytes(count)];
        for (var i = 0L; i < count; i++)
        {
            var (row, column) = (i / blocks, i % blocks);
            var code = (stored.Bytes[(int)((row * (blocks + 1) / 2) + (column / 2))] >> (int)(column % 2 * 4)) & 0xF;
            packed[i / 2] |= (byte)(code << (int)(i % 2 * 4));
        }
        return OnnxTensor.FromBytes(type, [rows, blocks], packed);
    }

    private static OnnxTensor Bytes(GradientCall r, int input) =>
        r.Input(input)!.Value.Value is { IsConstant: true, Constant: { Type: ElementType.UInt8 } bytes }
            ? bytes
            : throw r.Refusal($"its input {input} is not a constant of bytes");
}
