using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.GraphGen.Tests.Adapters.Stored.LortaAdapter;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

/// <summary>Factors that are not trained: an adapter states how they were drawn.</summary>
internal sealed class FrozenFactorsTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Frozen_factors_are_left_out_and_drawn_again_from_the_adapters_seed()
    {
        var (plan, factors) = Frozen(seed: 7);

        (GraphGen.Adapter.Of(plan, Base(plan), factors, seed: 7) with { Path = _folder["a"] }).Save();
        var loaded = GraphGen.Adapter.Load(_folder["a"]);

        Assert.That(loaded.Tensors.Keys, Is.EqualTo(new[] { "b" }));
        Assert.That(loaded.Config.Frozen, Is.EqualTo(new FrozenFactors(7, "lorta-1")));
        Assert.That(loaded.FactorsOf(plan)["A"].ToFloats(), Is.EqualTo(factors["A"].ToFloats()));
    }

    [Test]
    public void Frozen_factors_are_stored_where_that_is_asked_for_or_no_seed_draws_them()
    {
        var (plan, factors) = Frozen(seed: 7);

        var asked = GraphGen.Adapter.Of(plan with { Options = plan.Options with { SaveFrozen = true } }, Base(plan), factors, seed: 7);
        var given = GraphGen.Adapter.Of(plan, Base(plan), factors, seed: 8);

        foreach (var adapter in new[] { asked, given }) Assert.That((adapter.Tensors.Count, adapter.Config.Frozen), Is.EqualTo((2, (FrozenFactors?)null)));
    }

    [Test]
    public void Trained_factor_is_never_drawn_where_it_is_missing()
    {
        var (plan, factors) = Frozen(seed: 7);
        var adapter = GraphGen.Adapter.Of(plan, Base(plan), factors, seed: 7);

        Assert.That(() => (adapter with { Tensors = new Dictionary<string, OnnxTensor>() }).FactorsOf(plan), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT309"));
    }

    [Test]
    public void Other_generator_is_refused()
    {
        var (plan, factors) = Frozen(seed: 7);
        var adapter = GraphGen.Adapter.Of(plan, Base(plan), factors, seed: 7);
        (adapter with { Path = _folder["a"], Config = adapter.Config with { Frozen = new(7, "torch") } }).Save();

        Assert.That(() => GraphGen.Adapter.Load(_folder["a"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT313").And.Message.Contains("'torch'"));
    }

    private static (AdapterPlan Plan, IReadOnlyDictionary<string, OnnxTensor> Factors) Frozen(long seed)
    {
        var plan = AdapterPlan.Of(Given.Plan.Architecture, new AdapterOptions { Method = "basis" }, LortaCatalog.Default.With(new AdapterFamilyEntry("basis", [], _ => new Basis())));
        return (plan, plan.Factors.ToDictionary(factor => factor.Name, factor => factor.Draw(seed)));
    }

    private static BaseModel Base(AdapterPlan plan) => new("toy.onnx", plan.Architecture, new WeightSketch(new Dictionary<string, IReadOnlyList<float>>()));

    private sealed class Basis : IAdapterFamily
    {
        public string Method => "basis";

        public IReadOnlyList<Factor> Factors(AdapterSites sites) => [new("A", [sites.MaxIn, 2], Init.Normal(1), IsTrained: false), new("b", [2], Init.Zero)];
    }
}
