using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

/// <summary>Sketches of weights: the same model in another export is known again, another one is refused.</summary>
internal sealed class BaseModelsTests
{
    private const string Trained = "llama-mini/ts-sdpa";

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/ts-eager")]
    [TestCase("llama-mini/optimum-past")]
    [TestCase("llama-mini/dynamo18")]
    [TestCase("llama-mini/external/ts-sdpa")]
    [TestCase("llama-mini/fp16")]
    public void Another_export_of_the_same_weights_is_recognised(string export)
    {
        var path = Exports.Path(export);

        Assert.That(() => Check(Model.Load(path)), Throws.Nothing);
    }

    [Test]
    public void Sketch_of_float32_weights_allows_no_rounding_and_that_of_narrower_ones_does()
    {
        Assert.That(Describe(Model.Load(Exports.Path(Trained))).Sketch.Tolerance, Is.Zero);
        Assert.That(Describe(Model.Load(Exports.Path("llama-mini/fp16"))).Sketch.Tolerance, Is.EqualTo(1e-3));
    }

    [Test]
    public void Further_trained_weights_are_refused_by_the_site_that_differs()
    {
        var failure = Assert.Throws<LortaException>(() => Check(Changed("layers.2.v", factor: 1.01f)))!;

        Assert.That(failure.Code, Is.EqualTo("LRT311"));
        Assert.That(failure.Message, Does.Contain("layers.2.v differs"));
        Assert.That(failure.Hint, Does.Contain("--allow-base"));
    }

    [Test]
    public void Weights_within_rounding_are_accepted() => Assert.That(() => Check(Changed("layers.2.v", factor: 1 + 4e-6f)), Throws.Nothing);

    [Test]
    public void Other_weights_can_be_allowed() => Assert.That(() => Check(Changed("layers.2.v", factor: 1.5f), allow: true), Throws.Nothing);

    [TestCase(false)]
    [TestCase(true)]
    public void Another_architecture_is_always_refused(bool allow)
    {
        var failure = Assert.Throws<LortaException>(() => Check(Model.Load(Exports.Path("roberta-mini/seqcls.ts-eager")), allow))!;

        Assert.That(failure.Code, Is.EqualTo("LRT310"));
    }

    [Test]
    public void Model_without_attention_has_no_architecture()
    {
        var toy = new Discovery.Toy();
        var model = toy.With(toy.Linear(toy.X, "only", 8));

        var failure = Assert.Throws<LortaException>(() => BaseModels.ArchitectureOf(model, AttentionMap.Of(CanonicalModel.Of(model))))!;

        Assert.That(failure.Code, Is.EqualTo("LRT201"));
    }

    [Test]
    public void Architecture_states_the_sizes_of_the_model()
    {
        var architecture = Describe(Model.Load(Exports.Path(Trained))).Architecture;

        Assert.That(architecture with { Vocab = null }, Is.EqualTo(new Architecture(128, 4, 2, 32, 4)));
    }

    private static void Check(Model deployed, bool allow = false)
    {
        var adapter = new AdapterFolder("adapter", Config(), new Dictionary<string, Tensor>());
        var map = AttentionMap.Of(CanonicalModel.Of(deployed));
        BaseModels.Check(adapter, deployed, map, AdapterPlan.Of(BaseModels.ArchitectureOf(deployed, map), new AdapterOptions()), allow);
    }

    private static AdapterConfig Config()
    {
        var model = Model.Load(Exports.Path(Trained));
        return AdapterConfig.Of(Plan(model).Plan, Describe(model));
    }

    private static (AttentionMap Map, AdapterPlan Plan) Plan(Model model)
    {
        var map = AttentionMap.Of(CanonicalModel.Of(model));
        return (map, AdapterPlan.Of(BaseModels.ArchitectureOf(model, map), new AdapterOptions()));
    }

    private static BaseModel Describe(Model model)
    {
        var (map, plan) = Plan(model);
        return BaseModels.Describe(model, map, plan);
    }

    private static Model Changed(string address, float factor)
    {
        var model = Model.Load(Exports.Path(Trained));
        var site = Plan(model).Map.Layers.SelectMany(layer => layer.Sites).Single(site => site.Address == address);
        var weight = model.Graph.Find(site.Stored.Weight)!;
        weight.Constant = Tensor.Of<float>([.. weight.Constant!.Dims], weight.Constant.ToFloats().Select(value => value * factor).ToArray());
        return model;
    }
}
