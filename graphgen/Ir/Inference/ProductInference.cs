using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Matrix products in all their forms.</summary>
internal static class ProductInference
{
    public static readonly InferenceRule[] All =
    [
        new("MatMul", f => f.Set(0, f.Type(0), Product(f, f.Shape(0), f.Shape(1)))),
        new("MatMulInteger", f => f.Set(0, ElementType.Int32, Product(f, f.Shape(0), f.Shape(1)))),
        new(
            OrtOps.FusedMatMul,
            f => f.Set(0, f.Type(0), Product(f, Transposed(f, 0, "transA", "transBatchA"), Transposed(f, 1, "transB", "transBatchB")))),
        .. InferenceRule.For(Blocked, OrtOps.MatMulNBits, OrtOps.MatMulBnb4),
        new(OrtOps.DynamicQuantizeMatMul, f => f.Set(0, f.Type(0), Product(f, f.Shape(0), f.Shape(1)))),
        new(OrtOps.MatMulIntegerToFloat, f => f.Set(0, f.Type(2), Product(f, f.Shape(0), f.Shape(1)))),
        .. InferenceRule.For(f => f.Set(0, f.Type(7), Product(f, f.Shape(0), f.Shape(3))), "QLinearMatMul", OrtOps.QLinearMatMul),
        new(OrtOps.QGemm,
            f => f.Set(0, f.Has(8) ? f.Type(8) : ElementType.Float,
                Product(f, Transposed(f, 0, "transA", string.Empty), Transposed(f, 3, "transB", string.Empty)))),
        .. InferenceRule.For(Gemm, "Gemm", OrtOps.FusedGemm),
        new("Einsum", Einsum),
    ];

    // [.., K] · Wᵀ → [.., N]; W [N, K] as codes of some bits, in blocks along K
    private static void Blocked(NodeFacts f)
    {
        var rows = f.Int("N", 0);
        var columns = f.Int("K", 0);
        var bits = f.Int("bits", 4);
        var block = f.Int("block_size", 0);
        if (new[] { rows, columns, block }.Any(size => size is < 1 or > int.MaxValue) || bits is not (2 or 4 or 8))
            throw f.Fail($"no weight has N {rows}, K {columns}, block_size {block} and {bits} bits");
        var blocks = (columns + block - 1) / block;
        if (f.Type(1) == ElementType.UInt8 && f.Shape(1)?.Size.Value is { } bytes && bytes != rows * blocks * (((block * bits) + 7) / 8))
            throw f.Fail($"{bytes} bytes of codes are not those of {rows}·{blocks} blocks of {block}, {bits} bits each");
        if (f.Shape(2)?.Size.Value is { } scales && scales != rows * blocks) throw f.Fail($"{scales} scales for {rows}·{blocks} blocks");
        f.Set(0, f.Type(0), f.Shape(0, 1) is { } a ? a.With(a.Rank - 1, rows) : null);
    }

    // [.., m, k] × [.., k, n] → [.., m, n]; a vector is a row on the left, a column on the right.
    private static Shape? Product(NodeFacts f, Shape? a, Shape? b)
    {
        if (a is null || b is null) return null;
        if (a.Rank == 0 || b.Rank == 0) throw f.Fail($"{a} × {b}");
        var (inner, other) = (a[-1], b[b.Rank == 1 ? 0 : -2]);
        if (inner.IsKnown && other.IsKnown && inner != other) throw f.Fail($"{a} × {b}: {inner} and {other} differ");
        var batch = f.Broadcast(0, a.Range(0, Math.Max(0, a.Rank - 2)), b.Range(0, Math.Max(0, b.Rank - 2)))!;
        return [.. batch, .. a.Rank == 1 ? [] : a.Range(a.Rank - 2, a.Rank - 1), .. b.Rank == 1 ? [] : b.Range(b.Rank - 1, b.Rank)];
    }

    // transBatch: [m, .., k] stands for [.., m, k]; then the last two may change places.
    private static Shape? Transposed(NodeFacts f, int input, string transpose, string transposeBatch)
    {
        if (f.Shape(input) is not { Rank: >= 2 } x) return f.Shape(input);
        if (f.Int(transposeBatch, 0) == 1) x = [.. x.Range(1, x.Rank - 1), x[0], x[-1]];
        return f.Int(transpose, 0) == 1 ? [.. x.Range(0, x.Rank - 2), x[-1], x[-2]] : x;
    }

    private static void Gemm(NodeFacts f)
    {
        var (a, b) = (Transposed(f, 0, "transA", string.Empty), Transposed(f, 1, "transB", string.Empty));
        f.Set(0, f.Type(0), a is { Rank: not 2 } || b is { Rank: not 2 } ? throw f.Fail($"{a} × {b}: not two matrices") : Product(f, a, b));
    }

    private static void Einsum(NodeFacts f)
    {
        var equation = f.Node.String("equation", string.Empty).Replace(" ", string.Empty, StringComparison.Ordinal);
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        var (sizes, broadcast) = (new SortedDictionary<char, Dim>(), (Shape?)[]);
        if (terms.Length != f.Node.Inputs.Count) throw f.Fail($"'{equation}' for {f.Node.Inputs.Count} inputs");
        for (var i = 0; i < terms.Length; i++)
        {
            if (f.Shape(i) is not { } x)
            {
                f.Set(0, f.Type(0), null);
                return;
            }
            broadcast = f.Broadcast(0, broadcast, Bind(f, terms[i], x, sizes));
        }
        var result = sides.Length > 1 ? sides[1] : Implicit(terms);
        f.Set(
            0,
            f.Type(0),
            [.. result.Replace("...", "…", StringComparison.Ordinal)
                .SelectMany(letter => letter == '…' ? broadcast! : (IEnumerable<Dim>)[SizeOf(letter)])]);

        Dim SizeOf(char letter) =>
            sizes.TryGetValue(letter, out var size) ? size : throw f.Fail($"'{equation}' does not say what {letter} is");
    }

    // Notes the size of each letter and gives the dimensions that the ellipsis stands for.
    private static Shape Bind(NodeFacts f, string term, Shape x, SortedDictionary<char, Dim> sizes)
    {
        var letters = term.Replace("...", "…", StringComparison.Ordinal);
        var dots = letters.IndexOf('…', StringComparison.Ordinal);
        var spared = dots < 0 ? 0 : x.Rank - letters.Length + 1;
        if (spared < 0 || x.Rank != letters.Length + (dots < 0 ? 0 : spared - 1)) throw f.Fail($"'{term}' for {x}");
        for (var i = 0; i < letters.Length; i++)
        {
            if (i == dots) continue;
            var size = x[dots >= 0 && i > dots ? i + spared - 1 : i];
            if (!sizes.TryGetValue(letters[i], out var known) || known.Is(1) || (!known.IsKnown && size.IsKnown && !size.Is(1)))
                sizes[letters[i]] = size;
            else if (known.IsKnown && size.IsKnown && known != size && !size.Is(1)) throw f.Fail($"{letters[i]} is {known} and {size}");
        }
        return dots < 0 ? [] : x.Range(dots, dots + spared);
    }

    private static string Implicit(string[] terms)
    {
        var all = string.Concat(terms);
        var once = all.Where(char.IsLetter).GroupBy(letter => letter).Where(group => group.Count() == 1).Select(group => group.Key).Order();
        return (all.Contains("...", StringComparison.Ordinal) ? "..." : string.Empty) + string.Concat(once);
    }
}
