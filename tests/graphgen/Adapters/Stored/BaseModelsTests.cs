using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

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

        Assert.That(() => Check(OnnxModel.Load(path)), Throws.Nothing);
    }

    [Test]
    public void Sketch_of_float32_weights_allows_no_rounding_and_that_of_narrower_ones_does()
    {
        Assert.That(Describe(OnnxModel.Load(Exports.Path(Trained))).Sketch.Tolerance, Is.Zero);
        Assert.That(Describe(OnnxModel.Load(Exports.Path("llama-mini/fp16"))).Sketch.Tolerance, Is.EqualTo(1e-3));
    }

    [Test]
    public void Matrix_of_which_a_number_is_not_finite_is_left_out_of_the_sketch()
    {
        const string Parameter = "model.layers.1.mlp.down_proj.weight";
        var model = OnnxModel.Load(Exports.Path(Trained));
        var before = Describe(model).Sketch;
        var stored = model.Graph.Find(ParameterNames.Untied(model).Single(name => name.Name == Parameter).Initializer)!;
        stored.Constant = OnnxTensor.Of<float>(
            [.. stored.Constant!.Dims], Enumerable.Repeat(float.NegativeInfinity, (int)stored.Constant.Count).ToArray());

        var sketch = Describe(model).Sketch;

        Assert.That(before.Values.Keys.Except(sketch.Values.Keys), Is.EqualTo(new[] { Parameter }));
        Assert.That(sketch.Problem(), Is.Null);
    }

    [TestCase("model.layers.1.mlp.down_proj.weight")]
    [TestCase("lm_head.weight")]
    [TestCase("model.embed_tokens.weight")]
    public void Another_matrix_than_those_of_attention_is_told_apart_too(string parameter)
    {
        var model = OnnxModel.Load(Exports.Path(Trained));
        var stored = model.Graph.Find(ParameterNames.Untied(model).Single(name => name.Name == parameter).Initializer)!;
        stored.Constant = OnnxTensor.Of<float>([.. stored.Constant!.Dims], stored.Constant.ToFloats().Reverse().ToArray());

        var failure = Assert.Throws<LortaException>(() => Check(model))!;

        Assert.That(failure.Code, Is.EqualTo("LRT311"));
        Assert.That(failure.Message, Does.Contain($"{parameter} differs"));
    }

    [Test]
    public void Matrices_stored_with_other_axes_are_recognised_and_told_apart(
        [Values("three axes", "flat", "kernel")] string form, [Values] bool isOther)
    {
        const string Parameter = "model.layers.1.mlp.down_proj.weight";
        var model = OnnxModel.Load(Exports.Path(Trained));
        var stored = model.Graph.Find(ParameterNames.Untied(model).Single(name => name.Name == Parameter).Initializer)!;
        var weight = isOther ? OnnxTensor.Of<float>([.. stored.Constant!.Dims], new float[stored.Constant.Count]) : stored.Constant!;
        Store(model, stored.Uses.Single().Node, form, weight);

        if (isOther) Assert.That(Assert.Throws<LortaException>(() => Check(model))!.Message, Does.Contain($"{Parameter} differs"));
        else Assert.That(() => Check(model), Throws.Nothing);
    }

    // x·W with W [in, out] stored as [1, in, out], [in·out] or, as the kernel of a Conv, [out, in, 1].
    private static void Store(OnnxModel model, Node product, string form, OnnxTensor weight)
    {
        var (tape, rows, columns) = (new Tape(model.Graph, onnxOnly: true), weight.Dims[0], weight.Dims[1]);
        if (form == "kernel")
        {
            var values = weight.ToFloats().Index().OrderBy(item => item.Index % columns).Select(item => item.Item);
            var kernel = OnnxTensor.Of<float>([columns, rows, 1], [.. values]);
            var result = tape.Op("Conv", [tape[product.Input(0)!].MoveAxes(0, 2, 1), tape.Constant(kernel, $"{form}/values")]);
            result.Value.Producer!.Name = product.Name;
            model.Graph.ReplaceUses(product.Output, result.MoveAxes(0, 2, 1).Value);
        }
        else
        {
            var flat = tape.Constant(weight.WithDims(form == "flat" ? [rows * columns] : [1, rows, columns]), $"{form}/values");
            product.SetInput(1, form == "flat" ? flat.Reshape(rows, columns).Value : flat.Value);
        }
        model.Graph.RemoveUnused();
        model.Graph.Sort();
    }

    [Test]
    public void Parameters_that_the_adapter_replaces_are_not_compared()
    {
        const string Classifier = "classifier.dense.weight";
        var (trained, other) = (OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")), OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")));
        var stored = other.Graph.Find(ParameterNames.Untied(other).Single(name => name.Name == Classifier).Initializer)!;
        stored.Constant = OnnxTensor.Of<float>([.. stored.Constant!.Dims], new float[stored.Constant.Count]);
        var config = AdapterConfig.Of(Plan(trained).Plan, Describe(trained));

        Assert.That(Assert.Throws<LortaException>(() => Check(other, config))!.Message, Does.Contain(Classifier));
        Assert.That(() => Check(other, config with { Trainables = [Classifier] }), Throws.Nothing);
    }

    [TestCase(1024, 1100, 1024)]
    [TestCase(1000, 1001, 512)]
    [TestCase(1, 1, 1)]
    public void Tables_that_grew_a_little_are_sketched_at_the_same_rows(int before, int after, int rows)
    {
        Assert.That(BaseSketch.RowsOfAnyVocabulary(before), Is.EqualTo(rows));
        Assert.That(BaseSketch.RowsOfAnyVocabulary(after), Is.EqualTo(rows));
    }

    // Each model's sketch holds for all its exports: plain, fused, packed, of 16, 8 and 4 bits.
    [TestCase("llama-mini")]
    [TestCase("roberta-mini")]
    [TestCase("esm-mini")]
    [TestCase("minilm")]
    public void Every_export_recognises_the_sketch_of_every_other(string model)
    {
        var sketches = Exports.All.Where(export => export.StartsWith($"{model}/", StringComparison.Ordinal) && !export.Contains("/extra/", StringComparison.Ordinal))
            .Select(export => (Export: export, Sketch: Describe(OnnxModel.Load(Exports.Path(export))).Sketch)).ToList();
        if (sketches.Count == 0) Assert.Ignore($"There is no export of {model}.");

        var differences = from trained in sketches
                          from other in sketches
                          from difference in trained.Sketch.DifferencesFrom(other.Sketch, trained.Sketch.Values.Keys.Where(name => name.StartsWith("layers.", StringComparison.Ordinal)).ToHashSet())
                          select $"{trained.Export} → {other.Export}: {difference}";
        Assert.That(differences, Is.Empty);
        Assert.That(sketches.Select(item => item.Sketch.Problem()), Is.All.Null);
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
        var failure = Assert.Throws<LortaException>(() => Check(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")), allow))!;

        Assert.That(failure.Code, Is.EqualTo("LRT310"));
    }

    [Test]
    public void Model_without_attention_has_no_architecture()
    {
        var toy = new Attention.Toy();
        var model = toy.With(toy.Linear(toy.X, "only", 8));

        var failure = Assert.Throws<LortaException>(() => Architecture.Of(UnderstoodModel.Of(model)))!;

        Assert.That(failure.Code, Is.EqualTo("LRT201"));
    }

    [Test]
    public void Architecture_states_the_sizes_of_the_model()
    {
        var architecture = Describe(OnnxModel.Load(Exports.Path(Trained))).Architecture!;

        Assert.That(architecture with { Vocab = null }, Is.EqualTo(new Architecture(128, 4, 2, 32, 4)));
    }

    [Test]
    public void Only_adapters_of_the_MLP_state_its_width()
    {
        var model = UnderstoodModel.Of(OnnxModel.Load(Exports.Path(Trained)));

        var stated = new[] { "attention", "all-linear" }.Select(target => AdapterPlan.Of(model, new AdapterOptions { Method = "lora", Targets = [target] }))
            .Select(plan => AdapterConfig.Of(plan, BaseModels.Describe(model, plan)).ToJson());

        Assert.That(stated.Select(json => json.Contains("\"ffn\": 352", StringComparison.Ordinal)), Is.EqualTo(new[] { false, true }));
    }

    [TestCase(352, true)]
    [TestCase(null, true)]
    [TestCase(351, false)]
    public void An_MLP_of_another_width_is_another_architecture(int? trained, bool fits)
    {
        var model = Architecture.Of(UnderstoodModel.Of(OnnxModel.Load(Exports.Path(Trained))));

        Assert.That((model with { Ffn = trained }).Fits(model), Is.EqualTo(fits));
    }

    private static void Check(OnnxModel deployed, bool allow = false) => Check(deployed, Config(), allow);

    private static void Check(OnnxModel deployed, AdapterConfig config, bool allow = false)
    {
        var adapter = new Adapter("adapter", config, new Dictionary<string, OnnxTensor>());
        var understood = UnderstoodModel.Of(deployed);
        BaseModels.Check(adapter, understood, AdapterPlan.Of(understood, new AdapterOptions()), allow);
    }

    private static AdapterConfig Config()
    {
        var model = OnnxModel.Load(Exports.Path(Trained));
        return AdapterConfig.Of(Plan(model).Plan, Describe(model));
    }

    private static (UnderstoodModel Model, AdapterPlan Plan) Plan(OnnxModel model)
    {
        var understood = UnderstoodModel.Of(model);
        return (understood, AdapterPlan.Of(understood, new AdapterOptions()));
    }

    private static BaseModel Describe(OnnxModel model)
    {
        var (understood, plan) = Plan(model);
        return BaseModels.Describe(understood, plan);
    }

    private static OnnxModel Changed(string address, float factor)
    {
        var model = OnnxModel.Load(Exports.Path(Trained));
        var site = Plan(model).Model.Map.Layers.SelectMany(layer => layer.Sites).Single(site => site.Address == address);
        var weight = model.Graph.Find(site.Stored.Weight)!;
        weight.Constant = OnnxTensor.Of<float>([.. weight.Constant!.Dims], weight.Constant.ToFloats().Select(value => value * factor).ToArray());
        return model;
    }
}
