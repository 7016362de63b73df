using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>LoRTA against equation 3 written as loops.</summary>
internal sealed class LortaTests
{
    private static readonly Architecture Plain = new(Hidden: 12, Heads: 3, KvHeads: 3, HeadWidth: 4, Layers: 2);
    private static readonly Architecture Grouped = new(Hidden: 8, Heads: 4, KvHeads: 2, HeadWidth: 2, Layers: 2);

    private static readonly TestCaseData[] Deltas =
    [
        new(Plain, "output-heads", "input-heads"),
        new(Plain, "output-heads", "output-heads"),
        new(Plain, "input-heads", "input-heads"),
        new(Grouped, "output-heads", "input-heads"),
    ];

    [TestCaseSource(nameof(Deltas))]
    public void Delta_is_the_sum_of_equation_3(Architecture sizes, string orientation, string p)
    {
        var given = Case(sizes, ("orientation", orientation), ("p", p));
        var fold = new FoldGraph(given.Plan, given.Factors, FamilyCase.Evaluator);

        foreach (var site in given.Plan.Sites.All)
        {
            var delta = fold.Delta(site)!;

            Assert.That(delta.Dims, Is.EqualTo(new long[] { site.In, site.Out }), site.Address);
            Assert.That(delta.ToFloats(), Is.EqualTo(Expected(given, site)).Within(1e-5), site.Address);
        }
    }

    [TestCase("heads-matrices", 2 * 3 * (12 + 4 + 3 + 4))]
    [TestCase("heads", 2 * 4 * 3 * (12 + 4 + 3))]
    public void Smaller_tensors_span_a_layer_or_a_matrix(string share, long trainable)
    {
        var given = Case(Plain, ("share", share));
        var fold = new FoldGraph(given.Plan, given.Factors, FamilyCase.Evaluator);

        Assert.That(given.Plan.Trainable, Is.EqualTo(trainable));
        foreach (var site in given.Plan.Sites.All)
            Assert.That(fold.Delta(site)!.ToFloats(), Is.EqualTo(Expected(given, site)).Within(1e-5), site.Address);
    }

    [TestCase("heads-matrices", "C_L")]
    [TestCase("heads", "C_M")]
    public void Factor_that_is_not_there_cannot_start_at_zero(string share, string zero)
    {
        var failure = Assert.Throws<LortaException>(() => Case(Plain, ("share", share), ("zero", zero)))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT319", true)));
        Assert.That(failure.Message, Does.Contain($"there is no {zero} with share: {share}"));
    }

    [TestCase("heads-matrices")]
    [TestCase("heads")]
    public void Every_smaller_tensor_starts_at_zero(string share) =>
        Assert.That(Case(Plain, ("share", share)).Drawn.Where(pair => pair.Key.EndsWith(".B", StringComparison.Ordinal)).SelectMany(pair => pair.Value.ToFloats()), Is.Not.Empty.And.All.Zero);

    [TestCase("q", new long[] { 0, 1, 2, 3 })]
    [TestCase("p", new long[] { 0, 1, 2, 3 })]
    [TestCase("k", new long[] { 0, 2 })]
    [TestCase("v", new long[] { 0, 2 })]
    public void Key_value_heads_take_the_row_of_their_first_query_head(string matrix, long[] expected)
    {
        var plan = AdapterPlan.Of(Grouped, new AdapterOptions());

        Assert.That(HeadMap(plan, plan.Sites.All.First(site => site.Matrix == matrix)), Is.EqualTo(expected));
    }

    [TestCase("output-heads", "input-heads", "q", ExpectedResult = Orientation.OutputHeads)]
    [TestCase("output-heads", "input-heads", "p", ExpectedResult = Orientation.InputHeads)]
    [TestCase("output-heads", "output-heads", "p", ExpectedResult = Orientation.OutputHeads)]
    [TestCase("input-heads", "input-heads", "v", ExpectedResult = Orientation.InputHeads)]
    public Orientation Options_choose_the_side_of_the_heads(string orientation, string p, string matrix) =>
        ((Lorta)Case(Plain, ("orientation", orientation), ("p", p)).Plan.Family).OrientationOf(matrix);

    [TestCase("k")]
    [TestCase("v")]
    public void Input_heads_are_refused_for_keys_and_values_of_grouped_queries(string matrix)
    {
        var options = new AdapterOptions { Targets = ["q", matrix], Options = new Dictionary<string, string> { ["orientation"] = "input-heads" } };

        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Grouped, options))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT306", true)));
        Assert.That(failure.Message, Does.StartWith($"layers.0.{matrix}: input-heads needs"));
    }

    [TestCase("B")]
    [TestCase("A")]
    [TestCase("C_H")]
    [TestCase("C_L")]
    [TestCase("C_M")]
    public void Chosen_factor_alone_starts_at_zero(string zero)
    {
        var drawn = Case(Plain, ("zero", zero)).Drawn;

        Assert.That(drawn.Where(pair => pair.Value.ToFloats().All(value => value == 0)).Select(pair => pair.Key), Is.EqualTo(new[] { zero }));
    }

    [Test]
    public void B_starts_at_zero_by_default() => Assert.That(Case(Plain).Drawn["B"].ToFloats(), Is.All.Zero);

    [Test]
    public void Official_values_keep_to_the_authors_bounds()
    {
        var plan = AdapterPlan.Of(new Architecture(256, 8, 8, 32, 12), new AdapterOptions { Rank = 6, Options = new Dictionary<string, string> { ["init"] = "official" } });

        var drawn = plan.Factors.ToDictionary(factor => factor.Name, factor => factor.Draw(0).ToFloats().Max(Math.Abs));

        Assert.That(drawn["A"], Is.InRange(0.98 / Math.Sqrt(6), 1 / Math.Sqrt(6)));
        Assert.That(drawn["C_H"], Is.InRange(0.8, 1));   // √(6/r) = 1
    }

    [Test]
    public void Rows_follow_the_layers_and_targets_that_are_adapted()
    {
        var plan = AdapterPlan.Of(Plain with { Layers = 6 }, new AdapterOptions { Targets = ["v", "q"], Layers = LayerChoice.Of(4, 1, 4) });

        Assert.That(plan.Sites.All.Select(site => site.Address), Is.EqualTo(new[] { "layers.1.v", "layers.1.q", "layers.4.v", "layers.4.q" }));
        Assert.That(plan.Factors.Single(factor => factor.Name == "C_L").Dims[0], Is.EqualTo(2));
    }

    private static IReadOnlyList<long> HeadMap(AdapterPlan plan, AdapterSite site) => ((Lorta)plan.Family).HeadMapOf(site, plan.Sites);

    private static FamilyCase Case(Architecture sizes, params (string Name, string Value)[] options) =>
        new("lorta", AdapterPlan.Of(sizes, new AdapterOptions { Rank = 3, Alpha = 2, Options = options.ToDictionary(option => option.Name, option => option.Value) }));

    // (α/r)·Σ_r A[d]·B[e]·C_H[row(h)]·C_L[l]·C_M[m], d on the side of the model width, (h, e) on that of the heads.
    private static IEnumerable<double> Expected(FamilyCase given, AdapterSite site)
    {
        var (r, width, factors) = (given.Plan.Options.Rank, given.Plan.Architecture.HeadWidth, given.Factors);
        var tensor = new[] { string.Empty, $"layers.{site.Layer}.", $"{site.Address}." }.Single(name => factors.ContainsKey($"{name}A"));
        double At(string name, long row, int k) => factors.TryGetValue(tensor + name, out var factor) ? factor.ToFloats()[(row * r) + k] : 1;
        for (var i = 0; i < site.In; i++)
        {
            for (var j = 0; j < site.Out; j++)
            {
                var (model, head) = ((Lorta)given.Plan.Family).OrientationOf(site.Matrix) is Orientation.OutputHeads ? (i, j) : (j, i);
                yield return given.Plan.Options.Alpha / r * Enumerable.Range(0, r).Sum(k =>
                    At("A", model, k) * At("B", head % width, k) * At("C_H", HeadMap(given.Plan, site)[head / width], k)
                    * At("C_L", given.Plan.Sites.Layers.ToList().IndexOf(site.Layer), k) * At("C_M", given.Plan.Sites.Targets.ToList().IndexOf(site.Matrix), k));
            }
        }
    }
}
