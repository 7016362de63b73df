using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Testing.Tests;

/// <summary>Each mistake of a family is found by the test that is named for it.</summary>
internal sealed class BrokenFamilyTests
{
    private static readonly Architecture Sizes = new(Hidden: 8, Heads: 4, KvHeads: 4, HeadWidth: 2, Layers: 2, Ffn: 6);

    private static IEnumerable<TestCaseData> Mistakes =>
    [
        Case("ignores the scale", f => f with { Emit = (y, g, _) => y * (1 + g) }, tests => tests.Switched_off_it_changes_nothing),
        Case("begins elsewhere", f => f with { First = Init.Constant(1) }, tests => tests.Fresh_it_changes_nothing),
        Case("never begins", f => f with { Emit = (y, g, s) => y * (1 + (s * g * g)) }, tests => tests.Fresh_it_has_a_gradient),
        Case("does nothing", f => f with { Emit = (y, _, _) => y }, tests => tests.Trained_it_changes_every_layer),
        Case("folds otherwise", f => f with { Fold = (w, g, s) => w * (1 - (s * g)) }, tests => tests.Folded_it_computes_the_same),
        Case("adds otherwise", f => f with { Delta = (w, _, _) => w }, tests => tests.Where_it_is_a_sum_its_delta_is_what_it_adds),
        Case("is another one each time", f => f with { Strength = Growing() }, tests => tests.Saved_and_loaded_it_computes_the_same),
        Case("drops nothing", f => f with { HasDropout = true }, tests => tests.Dropout_drops_something_or_is_refused),
    ];

    [TestCaseSource(nameof(Mistakes))]
    public void A_mistake_fails_its_test(Sketch family, Func<AdapterFamilyTests, Action<Architecture>> test) =>
        Assert.That(() => test(new AdapterFamilyTests(family.Entry))(Sizes), Throws.TypeOf<AssertionException>());

    [Test]
    public void A_wrong_gradient_rule_fails_the_test_of_gradients()
    {
        var wrong = LortaCatalog.Default.With(new Sketch().Entry).With(new GradientRule("Mul", r => [r.G, r.G]), replace: true);

        Assert.That(() => new AdapterFamilyTests(new Sketch().Entry, wrong).Its_gradients_are_those_of_central_differences(Sizes), Throws.TypeOf<AssertionException>());
        Assert.That(() => new AdapterFamilyTests(new Sketch().Entry).Its_gradients_are_those_of_central_differences(Sizes), Throws.Nothing);
    }

    [Test]
    public void A_family_without_mistakes_passes_all_of_them() => Assert.Multiple(() =>
    {
        foreach (var mistake in Mistakes)
            ((Func<AdapterFamilyTests, Action<Architecture>>)mistake.Arguments[1]!)(new AdapterFamilyTests(new Sketch().Entry))(Sizes);
    });

    private static Func<double> Growing()
    {
        var strength = 0.0;
        return () => ++strength;
    }

    private static TestCaseData Case(
        string name, Func<Sketch, Sketch> mistake, Func<AdapterFamilyTests, Action<Architecture>> test) =>
        new TestCaseData(mistake(new Sketch()), test).SetArgDisplayNames(name);

    // y∘(1 + s·g), in parts that can be replaced; s counts so much more for one instance.
    internal sealed record Sketch
    {
        public Init First { get; init; } = Init.Zero;

        public Func<Expr, Expr, Expr, Expr> Emit { get; init; } = (y, g, scale) => y * (1 + (scale * g));

        public Func<Expr, Expr, Expr, Expr> Fold { get; init; } = (w, g, scale) => w * (1 + (scale * g));

        public Func<Expr, Expr, Expr, Expr>? Delta { get; init; }

        public Func<double> Strength { get; init; } = () => 1;

        public bool HasDropout { get; init; }

        public AdapterFamilyEntry Entry => new("sketch", [], _ => new Family(this));
    }

    private sealed class Family(Sketch sketch) : IAdapterFamily
    {
        private readonly double _strength = sketch.Strength();

        public string Method => "sketch";

        public bool HasDropout => sketch.HasDropout;

        public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
            [.. sites.All.Select(site => new Factor($"{site.Key}.g", [site.Out], sketch.First))];

        public Expr Emit(AdapterPoint at, FactorSet factors) => sketch.Emit(at.Y, factors[at.Site, "g"], _strength * factors.Scale);

        public Expr? Delta(AdapterSite site, FactorSet factors) =>
            sketch.Delta?.Invoke(factors[site, "g"].Reshape(1, site.Out), factors[site, "g"], factors.Scale);

        public (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet factors)
        {
            var (g, scale) = (factors[site, "g"], _strength * factors.Scale);
            return (sketch.Fold(weight, g, scale), bias is { } b ? sketch.Fold(b, g, scale) : null);
        }
    }
}
