using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Pieces;

/// <summary>Operators that a file spells in pieces, each in a graph y = f(x), x [2, 3, 4].</summary>
public sealed class PieceFormsTests
{
    private static IEnumerable<TestCaseData> Whole()
    {
        yield return Case("Softmax", "softmax", x => Fraction((x - x.Reduce("ReduceMax", [-1], keep: true)).Apply("Exp"), -1));
        yield return Case("Softmax", "softmax without the largest taken off", x => Fraction(x.Apply("Exp"), 2));
        yield return Case("FusedMatMul", "einsum of a product with a turned operand", x => Einsum(x, x, "bij,bkj->bik"));
        yield return Case("MatMul", "einsum of a product by a matrix", x => Einsum(x, x.Tape.Constant(OnnxTensor.Of<float>([4, 5], [.. Enumerable.Range(0, 20).Select(i => (float)i)])), "abc,cd->abd"));
        yield return Case("Gelu", "gelu, half last", x => x * OnePlusErf(x / Math.Sqrt(2)) * 0.5);
        yield return Case("Gelu", "gelu, half first", x => x * 0.5 * OnePlusErf(x * Math.Sqrt(0.5)));
        yield return Case("Gelu", "gelu, half of the second factor", x => x * (0.5 * OnePlusErf(x / Math.Sqrt(2))));
        yield return Case("Gelu", "gelu divided by two", x => x * OnePlusErf(x / Math.Sqrt(2)) / 2);
    }

    private static IEnumerable<TestCaseData> Pieces()
    {
        yield return Case("Erf", "gelu with a rounded constant", x => x * OnePlusErf(x / (double)(float)(Half)Math.Sqrt(2)) * 0.5);
        yield return Case("Erf", "gelu of one value times another", x => (x + 1) * OnePlusErf(x / Math.Sqrt(2)) * 0.5);
        yield return Case("Exp", "softmax over another axis", x => Fraction((x - x.Reduce("ReduceMax", [1], keep: true)).Apply("Exp"), 1));
        yield return Case("Exp", "exponentials over another sum", x => x.Apply("Exp") / (x + 1).Apply("Exp").Sum(-1));
        yield return Case("Einsum", "einsum that sums two axes", x => Einsum(x, x, "bij,bij->b"));
        yield return Case("Einsum", "einsum that sums one operand alone", x => Einsum(x, x, "bij,bkl->bik"));
    }

    [TestCaseSource(nameof(Whole))]
    public void Pieces_become_one_operator(string op, Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewritten.Of(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Is.EqualTo(new[] { op }));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [TestCaseSource(nameof(Pieces))]
    public void What_is_not_exactly_it_stays_in_pieces(string left, Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewritten.Of(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Does.Contain(left));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    private static TestCaseData Case(string op, string name, Func<Expr, Expr> function) => new TestCaseData(op, function).SetArgDisplayNames(name);

    private static Expr Fraction(Expr e, long axis) => e / e.Sum(axis);

    private static Expr Einsum(Expr a, Expr b, string equation) => a.Tape.Op("Einsum", [a, b], ("equation", equation));

    private static Expr OnePlusErf(Expr x) => x.Apply("Erf") + 1;
}
