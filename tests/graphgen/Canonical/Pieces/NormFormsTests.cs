using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Pieces;

/// <summary>Spellings of norms, each in a graph y = f(x), x [2, 3, 4].</summary>
public sealed class NormFormsTests
{
    private static IEnumerable<TestCaseData> Whole()
    {
        yield return Case("LayerNormalization", "square as power", x => LayerNorm(x, d => Power(d, 2)));
        yield return Case("LayerNormalization", "square as product", x => LayerNorm(x, d => d * d));
        yield return Case("SimplifiedLayerNormalization", "over the root", x => x / Root(x) * Vector(x, "scale"));
        yield return Case("SimplifiedLayerNormalization", "through a reciprocal", x => Vector(x, "scale") * (x * Root(x).Apply("Reciprocal")));
        yield return Case("SimplifiedLayerNormalization", "through one over the root", x => (1 / Root(x) * x) * Vector(x, "scale"));
        yield return Case("SimplifiedLayerNormalization", "with 1 + w", x => x / Root(x) * (Vector(x, "scale") + 1));
    }

    private static IEnumerable<TestCaseData> Pieces()
    {
        yield return Case("over another axis", x => x / ((x * x).Mean(1) + 1e-5).Sqrt() * Vector(x, "scale"));
        yield return Case("a scale per row", x => x / Root(x) * x.Tape.Constant(OnnxTensor.Of<float>([3, 1], [1f, 2f, 3f])));
        yield return Case("a cube", x => x / (Power(x, 3).Mean(-1) + 100).Sqrt() * Vector(x, "scale"));
        yield return Case("the root of another value", x => x / Root(x + 1) * Vector(x, "scale"));
        yield return Case("centred, without a bias", x => Centred(x) / Root(Centred(x)) * Vector(x, "scale"));
    }

    [TestCaseSource(nameof(Whole))]
    public void Pieces_of_a_norm_become_one_operator(string op, Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewritten.Of(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Has.Exactly(1).EqualTo(op).And.None.EqualTo("Sqrt").And.None.EqualTo("ReduceMean"));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [TestCaseSource(nameof(Pieces))]
    public void What_is_not_exactly_a_norm_stays_in_pieces(Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewritten.Of(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Does.Contain("ReduceMean").And.Not.Contain("SimplifiedLayerNormalization"));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [Test]
    public void Epsilon_is_that_of_the_file()
    {
        var (_, canonical) = Rewritten.Of(x => x / ((x * x).Mean(-1) + 0.25).Sqrt() * Vector(x, "scale"));

        Assert.That(canonical.Model.Graph.Nodes.Single().Float("epsilon", 0), Is.EqualTo(0.25f));
    }

    [TestCase(true, "RMS norm in pieces: x is centred: this is the head of a layer norm")]
    [TestCase(false, "RMS norm in pieces: it is not x over the root of its mean square, times a scale for each feature")]
    public void A_norm_that_stays_says_why(bool isCentred, string reason)
    {
        var (_, canonical) = Rewritten.Of(x => isCentred
            ? Centred(x) / Root(Centred(x)) * Vector(x, "scale")
            : x / Root(x) * x.Tape.Constant(OnnxTensor.Of<float>([3, 1], [1f, 2f, 3f])));

        var product = canonical.Model.Graph.Nodes.Single(node => node.Op == "Mul" && node.Input(0)!.Producer is { Op: "Div" });
        Assert.That(canonical.Declined[product], Does.Contain(reason));
        Assert.That(canonical.Declined.Keys, Is.SubsetOf(canonical.Model.Graph.Nodes));
    }

    private static TestCaseData Case(string op, string name, Func<Expr, Expr> function) => new TestCaseData(op, function).SetArgDisplayNames(op, name);

    private static TestCaseData Case(string name, Func<Expr, Expr> function) => new TestCaseData(function).SetArgDisplayNames(name);

    private static Expr LayerNorm(Expr x, Func<Expr, Expr> square)
    {
        var d = Centred(x);
        return (d / (square(d).Mean(-1) + 1e-5).Sqrt() * Vector(x, "scale")) + Vector(x, "bias");
    }

    private static Expr Centred(Expr x) => x - x.Mean(-1);

    private static Expr Root(Expr x) => (Power(x, 2).Mean(-1) + 1e-6).Sqrt();

    private static Expr Power(Expr x, float exponent) => x.Apply("Pow", x.Tape.Constant(OnnxTensor.Scalar(exponent)));

    private static Expr Vector(Expr x, string name) => x.Tape.Constant(OnnxTensor.Vector(0.5f, 1f, 1.5f, 2f), name);
}
