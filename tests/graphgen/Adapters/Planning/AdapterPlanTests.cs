using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Planning;

internal sealed class AdapterPlanTests
{
    private static readonly Architecture Sizes = new(Hidden: 16, Heads: 4, KvHeads: 2, HeadWidth: 4, Layers: 3);

    [Test]
    public void Unknown_target_is_refused()
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, new AdapterOptions { Targets = ["q", "w"] }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT304", true)));
        Assert.That(failure.Message, Does.Contain("'w'"));
    }

    [TestCase("gate")]
    [TestCase("all-linear")]
    public void Matrices_of_an_MLP_whose_width_is_not_known_are_refused(string target)
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, new AdapterOptions { Method = "lora", Targets = [target] }))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT321", "layers.0.gate: its width is not among the given sizes.")));
    }

    [Test]
    public void Matrices_of_an_MLP_have_its_width_and_no_heads()
    {
        var sites = AdapterPlan.Of(Sizes with { Ffn = 40 }, new AdapterOptions { Method = "lora", Targets = ["mlp"] }).Sites;

        Assert.That(sites.All.Take(3).Select(site => (site.Address, site.In, site.Out, site.Heads)),
            Is.EqualTo(new (string, int, int, int?)[] { ("layers.0.gate", 16, 40, null), ("layers.0.up", 16, 40, null), ("layers.0.down", 40, 16, null) }));
    }

    [Test]
    public void A_gate_that_the_MLP_does_not_have_is_left_out()
    {
        var plan = AdapterPlan.Of(Sizes with { Ffn = 40, IsGated = false }, new AdapterOptions { Method = "lora", Targets = ["q", "gate", "mlp"] });

        Assert.That(plan.Sites.Targets, Is.EqualTo(new[] { "q", "up", "down" }));
    }

    [Test]
    public void A_gate_alone_that_the_model_does_not_have_is_refused()
    {
        var model = UnderstoodModel.Of(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")));

        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(model, new AdapterOptions { Method = "lora", Targets = ["gate"] }))!;

        Assert.That(failure.Code, Is.EqualTo("LRT204"));
        Assert.That(failure.Message, Does.StartWith("layers.0.gate: "));
    }

    [Test]
    public void An_MLP_that_was_not_understood_is_refused_with_the_finding()
    {
        var model = UnderstoodModel.Of(OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "mlp-experts").Path));

        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(model, new AdapterOptions { Method = "lora", Targets = ["all-linear"] }))!;

        Assert.That(failure.Code, Is.EqualTo("LRT204"));
        Assert.That(failure.Message, Does.StartWith("layers.0.gate: ").And.Contain("mixture of experts"));
    }

    [Test]
    public void LoRTA_refuses_matrices_without_heads()
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes with { Ffn = 40 }, new AdapterOptions { Targets = ["q", "down"] }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT324", true)));
        Assert.That(failure.Message, Is.EqualTo("layers.0.down: lorta splits one side of a matrix by heads, and this matrix has none."));
    }

    [Test]
    public void Senseless_options_are_refused_before_their_scale()
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, new AdapterOptions { Rank = 0 }))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT319", "adapter.rank: must be >= 1, was 0.")));
    }

    [TestCase("lorta")]
    [TestCase("lora")]
    public void Rank_far_beyond_the_widest_matrix_is_refused(string method)
    {
        var most = 16 * Math.Max(Sizes.Hidden, Sizes.Heads * Sizes.HeadWidth);

        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, new AdapterOptions { Method = method, Rank = most + 1 }))!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT319", true)));
            Assert.That(failure.Message, Does.StartWith($"adapter.rank: must be <= {most}, 16 times the largest input or output ("));
            Assert.That(() => AdapterPlan.Of(Sizes, new AdapterOptions { Method = method, Rank = most }), Throws.Nothing);
        }
    }

    [Test]
    public void Rank_that_no_array_can_hold_is_refused()
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(new Architecture(400_000, 4, 4, 100_000, 1), new AdapterOptions { Rank = 6_000_000 }))!;

        Assert.That((failure.Code, failure.Message.Contains("'A'", StringComparison.Ordinal)), Is.EqualTo(("LRT319", true)));
    }

    [Test]
    public void Orientation_and_head_map_that_a_file_states_are_used()
    {
        var stated = new StatedHeads
        {
            Orientations = new Dictionary<string, Orientation> { ["q"] = Orientation.InputHeads },
            HeadMaps = new Dictionary<string, IReadOnlyList<long>> { ["v"] = [3, 1] },
        };

        var plan = AdapterPlan.Of(Sizes, new AdapterOptions { Targets = ["q", "v"], Heads = stated });

        var (lorta, sites) = ((Lorta)plan.Family, plan.Sites.All.Take(2));
        Assert.That(sites.Select(site => lorta.OrientationOf(site.Matrix)), Is.EqualTo(new[] { Orientation.InputHeads, Orientation.OutputHeads }));
        Assert.That(sites.Select(site => lorta.HeadMapOf(site, plan.Sites)), Is.EqualTo(new long[][] { [0, 1, 2, 3], [3, 1] }));
    }

    [TestCase(0L)]
    [TestCase(0L, 4L)]
    [TestCase(-1L, 0L)]
    public void Head_map_of_other_heads_is_refused(params long[] rows) =>
        Assert.That(() => AdapterPlan.Of(Sizes, new AdapterOptions { Heads = new() { HeadMaps = new Dictionary<string, IReadOnlyList<long>> { ["v"] = rows } } }), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT320"));

    [TestCase(3)]
    [TestCase(-1)]
    public void Layer_that_the_model_lacks_is_refused(int layer)
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, new AdapterOptions { Layers = LayerChoice.Of(0, layer) }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT305", true)));
        Assert.That(failure.Hint, Does.Contain("0 to 2"));
    }

    [Test]
    public void Group_stands_for_its_matrices_and_each_of_them_is_adapted_once()
    {
        var plan = AdapterPlan.Of(Sizes, new AdapterOptions { Targets = ["v", "attention"], Layers = LayerChoice.Of(1) });

        Assert.That(plan.Sites.All.Select(site => site.Address), Is.EqualTo(new[] { "layers.1.v", "layers.1.q", "layers.1.k", "layers.1.p" }));
    }

    [Test]
    public void Site_may_have_a_rank_and_an_alpha_of_its_own()
    {
        var plan = AdapterPlan.Of(Sizes, new AdapterOptions
        {
            Method = "lora",
            Rank = 8,
            Alpha = 16,
            Targets = ["q", "v"],
            Sites = [new() { Match = "layers.0-1.q", Rank = 4, Alpha = 4 }, new() { Match = "layers.*.q", Rank = 2 }, new() { Match = "layers.1.*", Rank = 0 }],
        });

        Assert.That(plan.Sites.All.Select(site => (site.Address, site.Rank, site.Strength)),
            Is.EqualTo(new[] { ("layers.0.q", 4, 0.5), ("layers.0.v", 8, 1), ("layers.1.q", 4, 0.5), ("layers.2.q", 2, 4), ("layers.2.v", 8, 1) }));
        Assert.That(plan.Factors.Single(factor => factor.Name == "layers.2.q.A").Dims, Is.EqualTo(new[] { 16L, 2 }));
    }

    [Test]
    public void Root_of_the_rank_is_taken_for_each_site()
    {
        var options = new AdapterOptions { Method = "lora", Rank = 16, Alpha = 8, Targets = ["q"], Sites = [new() { Match = "layers.1.q", Rank = 4 }], Options = new Dictionary<string, string> { ["rslora"] = "true" } };

        Assert.That(AdapterPlan.Of(Sizes, options).Sites.All.Select(site => site.Strength), Is.EqualTo(new double[] { 1, 2, 1 }));
    }

    [TestCase("lora", "layers.7.q", 2, "adapter.sites.0: 'layers.7.q' fits no adapted site.")]
    [TestCase("lora", "q", 2, "adapter.sites.0: match must have the form layers.0-5.q, was 'q'.")]
    [TestCase("lorta", "layers.0.q", 2, "adapter.sites.0.rank: lorta shares factors, so all sites have one rank.")]
    [TestCase("lora", "layers.*.*", 0, "adapter.sites: leaves no site.")]
    public void Entry_of_sites_that_means_nothing_is_refused(string method, string match, int rank, string message)
    {
        var options = new AdapterOptions { Method = method, Targets = ["q"], Sites = [new() { Match = match, Rank = rank }] };

        Assert.That(Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, options))!.Message, Is.EqualTo(message));
    }

    [Test]
    public void Learning_rates_belong_to_the_last_part_of_a_factors_name()
    {
        var options = new AdapterOptions { Method = "lora", Targets = ["q"], Layers = LayerChoice.Of(0), LoraPlus = 16, LrFactors = new Dictionary<string, double> { ["A"] = 0.5 } };

        Assert.That(AdapterPlan.Of(Sizes, options).Factors.Select(factor => factor.LearningRateFactor), Is.EqualTo(new[] { 0.5, 16 }));
        Assert.That(() => AdapterPlan.Of(Sizes, options with { LoraPlus = null, LrFactors = new Dictionary<string, double> { ["E"] = 2 } }),
            Throws.TypeOf<LortaException>().With.Property("Message").EqualTo("adapter.lrFactors.E: lora trains no factor E."));
    }

    [Test]
    public void Family_says_what_is_adapted_where_nobody_does()
    {
        var catalog = LortaCatalog.Default.With(new AdapterFamilyEntry("norms", [], _ => new Norms()));

        var plan = AdapterPlan.Of(Sizes, new AdapterOptions { Method = "norms", Layers = LayerChoice.Of(2) }, catalog);

        Assert.That(plan.Sites.All.Select(site => (site.Address, site.Key)), Is.EqualTo(new[] { ("layers.2.k", "layers.2.k"), ("layers.2.p", "layers.2.out") }));
        Assert.That(plan.Factors.Single().Name, Is.EqualTo("layers.2.out.m"));
        Assert.That(() => AdapterPlan.Of(Sizes, new AdapterOptions { Method = "norms", Targets = ["q"] }, catalog), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT304"));
    }

    [TestCase("q", 16, 16)]
    [TestCase("k", 16, 8)]
    [TestCase("v", 16, 8)]
    [TestCase("p", 16, 16)]
    public void Sizes_of_a_site_follow_from_heads_and_width(string matrix, int input, int output)
    {
        var site = AdapterPlan.Of(Sizes, new AdapterOptions { Targets = [matrix] }).Sites.All[0];

        Assert.That((site.In, site.Out), Is.EqualTo((input, output)));
    }

    [Test]
    public void Family_of_the_users_own_is_found_in_the_list_that_is_given()
    {
        var catalog = LortaCatalog.Default.With(new AdapterFamilyEntry("mine", [], options => LortaCatalog.Default.Create(options with { Method = "lora" })));

        var plan = AdapterPlan.Of(Sizes, new AdapterOptions { Method = "mine" }, catalog);

        Assert.That(plan.Family.Method, Is.EqualTo("lora"));
    }

    private sealed class Norms : IAdapterFamily
    {
        public string Method => "norms";

        public FamilyTargets Targets => FamilyTargets.Of(new("k", "k"), new("out", "p"));

        public IReadOnlyList<Factor> Factors(AdapterSites sites) => [.. sites.All.Where(site => site.Matrix == "p").Select(site => new Factor($"{site.Key}.m", [site.Out], Init.ColumnNorms(site)))];
    }
}
