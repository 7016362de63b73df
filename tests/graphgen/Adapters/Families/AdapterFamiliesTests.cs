using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>What holds for every family, beside what users' families are tested for (<see cref="FamilyContractTests"/>).</summary>
internal sealed class AdapterFamiliesTests
{
    // Trained parameters of a family by the sizes that it depends on.
    private static readonly Dictionary<string, Func<AdapterPlan, long>> Formulas = new(StringComparer.Ordinal)
    {
        ["lorta"] = plan => plan.Options.Rank * (plan.Architecture.Hidden + plan.Architecture.HeadWidth + plan.Architecture.Heads + plan.Sites.Layers.Count + plan.Sites.Targets.Count),
        ["lora"] = plan => plan.Options.Rank * plan.Sites.All.Sum(site => (long)site.In + site.Out),
        ["lora_fa"] = plan => plan.Options.Rank * plan.Sites.All.Sum(site => (long)site.Out),
        ["vera"] = plan => plan.Sites.All.Sum(site => (long)plan.Options.Rank + site.Out),
        ["nola"] = plan => 2 * 64 * plan.Sites.All.Count,
        ["lotr"] = WithCoreForEachSite,
        ["fact_tt"] = WithCoreForEachSite,
        ["fact_tk"] = plan => (plan.Options.Rank * (plan.Sites.MaxIn + plan.Sites.MaxOut + plan.Sites.All.Count)) + (int)Math.Pow(plan.Options.Rank, 3),
        ["adalora"] = plan => plan.Options.Rank * plan.Sites.All.Sum(site => (long)site.In + site.Out + 1),
        ["prefix"] = plan => 2 * 10 * plan.Sites.Layers.Count * plan.Architecture.KvHeads * plan.Architecture.HeadWidth,
        ["loretta_rep"] = plan => plan.Sites.All.Sum(site => CountOfTrain(site.In * site.Rank) + CountOfTrain(site.Out * site.Rank)),
        ["dora"] = plan => (plan.Options.Rank * plan.Sites.All.Sum(site => (long)site.In + site.Out)) + plan.Sites.All.Sum(site => (long)site.Out),
        ["loretta_adp"] = plan => plan.Sites.All.Sum(site => (2 * (site.Out == 12 ? 280L : 260)) + 64 + site.Out),   // 4·4·4·12 and 4·4·4·8 at TT rank 5
        ["ia3"] = plan => plan.Sites.Layers.Count * ((2 * plan.Architecture.KvHeads * plan.Architecture.HeadWidth) + plan.Architecture.Ffn!.Value),
    };

    private static IEnumerable<FamilyCase> Cases => FamilyCase.All.Where(given => !given.Plan.Family.Targets.AreAttention);

    private static IEnumerable<FamilyCase> Additive => Cases.Where(given => FoldGraph.IsSum(given.Plan));

    private static IEnumerable<FamilyCase> WithoutDropout => FamilyCase.All.Where(given => !given.Plan.Family.HasDropout);

    private static IEnumerable<FamilyCase> WithAlpha => Cases.Where(given => AdapterFamilies.All.Single(family => family.Method == given.Plan.Options.Method).Options.Contains(AdapterOptions.RankStabilised));

    [TestCaseSource(nameof(Additive))]
    public void Delta_of_a_transposed_layout_is_the_transpose(FamilyCase given)
    {
        var fold = new FoldGraph(given.Plan, given.Factors, FamilyCase.Evaluator);

        foreach (var site in given.Plan.Sites.All)
        {
            var (delta, transposed) = (fold.Delta(site)!, fold.Delta(site, Layout.OutIn)!);

            Assert.That(transposed.Dims, Is.EqualTo(new long[] { site.Out, site.In }), site.Address);
            Assert.That(transposed.ToFloats(), Is.EqualTo(TensorAxes.Transposed(delta.ToFloats(), site.In, site.Out)).Within(1e-6), site.Address);
        }
    }

    [TestCaseSource(nameof(Additive))]
    public void Fold_is_the_weight_plus_delta_and_keeps_the_bias(FamilyCase given)
    {
        var fold = new FoldGraph(given.Plan, given.Factors, FamilyCase.Evaluator);
        var site = given.Plan.Sites.All[1];
        var (weight, bias) = (RandomTensor.Normal("w", site.In, site.Out), RandomTensor.Normal("b", site.Out));

        var folded = fold.Fold(site, weight, bias)!.Value;

        Assert.That(folded.Weight.ToFloats(), Is.EqualTo(weight.ToFloats().Zip(fold.Delta(site)!.ToFloats(), (w, delta) => w + delta)).Within(1e-6));
        Assert.That(folded.Bias, Is.SameAs(bias));
    }

    [TestCaseSource(nameof(WithoutDropout))]
    public void Dropout_is_refused_where_nothing_could_be_dropped(FamilyCase given)
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(given.Plan.Architecture, given.Plan.Options with { Dropout = 0.1 }))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT319", $"adapter.dropout: {given.Plan.Options.Method} has no input that elements could be dropped from; leave it at 0.")));
    }

    [TestCaseSource(typeof(FamilyCase), nameof(FamilyCase.All))]
    public void Number_of_parameters_follows_the_formula(FamilyCase given)
    {
        Assert.That(Formulas, Does.ContainKey(given.Plan.Options.Method), "a new family needs its formula here");

        Assert.That(given.Plan.Trainable, Is.EqualTo(Formulas[given.Plan.Options.Method](given.Plan)));
    }

    [TestCaseSource(nameof(WithAlpha))]
    public void Rank_stabilised_scale_divides_by_the_root(FamilyCase given)
    {
        var options = given.Plan.Options with { Rank = 16, Alpha = 8 };

        var stabilised = options with { Options = new Dictionary<string, string> { ["rslora"] = "true" } };

        Assert.That((LortaCatalog.Default.Create(options).Scale, LortaCatalog.Default.Create(stabilised).Scale), Is.EqualTo((0.5, 2.0)));
    }

    [Test]
    public void Unknown_method_is_refused_with_the_known_ones()
    {
        var failure = Assert.Throws<LortaException>(() => LortaCatalog.Default.Create(new AdapterOptions { Method = "lorax" }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT301", true)));
        Assert.That(failure.Hint, Does.Contain("lorta").And.Contain("lora"));
    }

    [TestCase("lora", "zero", "B", "LRT302")]
    [TestCase("lorta", "zeros", "B", "LRT302")]
    [TestCase("lorta", "zero", "D", "LRT303")]
    [TestCase("lorta", "orientation", "sideways", "LRT303")]
    [TestCase("lora", "rslora", "yes", "LRT303")]
    public void Unknown_options_and_values_are_refused_by_name(string method, string option, string value, string code)
    {
        var options = new AdapterOptions { Method = method, Options = new Dictionary<string, string> { [option] = value } };

        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(new Architecture(8, 4, 4, 2, 2), options))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo((code, true)));
        Assert.That(failure.Message, Does.Contain($"adapter.options.{option}"));
    }

    [TestCaseSource(nameof(WithAlpha))]
    public void Scale_that_is_no_number_is_refused(FamilyCase given)
    {
        var failure = Assert.Throws<LortaException>(() => LortaCatalog.Default.Create(given.Plan.Options with { Alpha = double.NaN }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT317", true)));
    }

    private static long WithCoreForEachSite(AdapterPlan plan) =>
        (plan.Options.Rank * (plan.Sites.MaxIn + plan.Sites.MaxOut)) + (plan.Options.Rank * plan.Options.Rank * plan.Sites.All.Count);

    // At TT rank 5, so with modes of at least 5.
    private static long CountOfTrain(int elements) => elements switch
    {
        12 or 24 or 36 => elements,        // one mode: 2·2·3, (2·2·2)·3, (2·2·3)·3
        48 => (8 * 5) + (5 * 6),           // 2·2·2, 2·3
        _ => throw new ArgumentOutOfRangeException(nameof(elements), elements, "state its modes"),
    };
}
