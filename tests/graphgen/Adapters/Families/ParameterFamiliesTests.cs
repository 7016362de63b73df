using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>Families that train the model's own parameters.</summary>
internal sealed class ParameterFamiliesTests
{
    [TestCase("bitfit", "roberta-mini/seqcls.ts-eager", ExpectedResult = 5890)]      // as in the goldens
    [TestCase("bitfit", "roberta-mini/seqcls.ort-fused", ExpectedResult = 5890)]
    [TestCase("full", "roberta-mini/seqcls.ts-eager", ExpectedResult = 1105410)]
    [TestCase("full", "roberta-mini/seqcls.mha-fused", ExpectedResult = 1105410)]
    [TestCase("full", "llama-mini/ts-sdpa", ExpectedResult = 1000576)]
    [TestCase("full", "llama-mini/genai", ExpectedResult = 1000576)]
    public long They_train_what_the_file_has(string method, string export) => PlanOf(Load(export), new() { Method = method }).Trainable;

    [Test]
    public void Own_patterns_choose_among_the_parameters()
    {
        var plan = PlanOf(Load("roberta-mini/seqcls.ts-eager"), new() { Method = "bitfit", Targets = ["*.query.bias", "classifier.*"] });

        Assert.That(plan.Parameters.Select(parameter => parameter.Name).Where(name => !name.EndsWith(".query.bias", StringComparison.Ordinal)), Is.EqualTo(new[] { "classifier.dense.bias", "classifier.dense.weight", "classifier.out_proj.bias", "classifier.out_proj.weight" }));
        Assert.That(plan.Parameters, Has.Count.EqualTo(8));
    }

    [TestCase("bitfit", 4)]
    [TestCase("full", (3 * 4) + 4)]
    public void A_model_without_attention_is_trained(string method, long trainable)
    {
        var adapted = AdaptedModel.Of(Linear(), new() { Method = method }, LortaCatalog.Default);

        Assert.That((adapted.Plan.Trainable, adapted.Plan.Stated), Is.EqualTo((trainable, (Architecture?)null)));
    }

    [Test]
    public void Convolutions_and_norms_of_channels_are_trained_as_they_are_stored()
    {
        var (model, tape) = Ort.New();
        Expr Stored(string name, params long[] dims) => tape[model.Graph.AddConstant(name, RandomTensor.Normal(name, dims))];
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [2, 3, 8])];
        var y = tape.Op("Conv", [x, Stored("conv.weight", 4, 3, 3), Stored("conv.bias", 4)]);
        y = tape.Op("BatchNormalization", [y, Stored("norm.weight", 4), Stored("norm.bias", 4), Stored("norm.running_mean", 4), tape.Constant(OnnxTensor.Vector<float>(1, 1, 1, 1), "norm.running_var")]);
        model.Graph.AddOutput(y.Value);

        var plan = PlanOf(UnderstoodModel.Of(model), new() { Method = "full" });

        Assert.That(plan.Parameters.Select(parameter => (parameter.Name, parameter.Count)), Is.EqualTo(new[] { ("conv.bias", 4L), ("conv.weight", 36L), ("norm.bias", 4L), ("norm.weight", 4L) }));
    }

    [Test]
    public void What_is_named_neither_weight_nor_bias_is_a_finding()
    {
        var (model, tape) = Ort.New();
        Expr Stored(string name, params long[] dims) => tape[model.Graph.AddConstant(name, RandomTensor.Normal(name, dims))];
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [2, 3])];
        model.Graph.AddOutput((x.MatMul(Stored("layer.0.weight", 3, 4)) * Stored("layer.0.gamma", 4) + Stored("layer.0.shift", 4)).Value);

        var findings = LeftOut("*");

        Assert.That(findings.Select(finding => $"{finding.Node}: {finding.Reason}"), Is.EqualTo(new[] { "full: trains what is named weight or bias; 2 other stored tensors with together 8 numbers stay as they are: 'layer.0.gamma', 'layer.0.shift'" }));
        Assert.That(LeftOut("*.weight"), Is.Empty);

        IReadOnlyList<Finding> LeftOut(string pattern) =>
            [.. FamilyParameter.LeftOut(model, PlanOf(UnderstoodModel.Of(model), new() { Method = "full", Targets = [pattern] }))];
    }

    [Test]
    public void They_start_at_the_values_of_the_file()
    {
        var model = Load("roberta-mini/seqcls.ts-eager");
        var expected = model.Deployed.Graph.Find("classifier.dense.bias")!.Constant!.ToFloats();

        var trained = AdaptedModel.Of(model, new() { Method = "bitfit" }, LortaCatalog.Default).Trained(new Dictionary<string, OnnxTensor>(), 0);

        Assert.That(trained.Single(tensor => tensor.Name == "param.classifier.dense.bias").Initial.ToFloats(), Is.EqualTo(expected));
    }

    [Test]
    public void A_trainable_of_the_recipe_decides_about_its_own_learning_rate()
    {
        var adapted = AdaptedModel.Of(Load("roberta-mini/seqcls.ts-eager"), new() { Method = "bitfit" }, LortaCatalog.Default, new([new() { Match = "classifier.*", LearningRate = 0.5 }]));

        var groups = adapted.Trained(new Dictionary<string, OnnxTensor>(), 0).ToDictionary(tensor => tensor.Name, tensor => tensor.Group);

        Assert.That(groups["param.classifier.dense.bias"].LearningRate, Is.EqualTo(0.5));
        Assert.That(groups["param.roberta.embeddings.LayerNorm.bias"], Is.EqualTo(ParameterGroup.Default));
    }

    [TestCase("bitfit", "llama-mini/ts-sdpa", "LRT307", "adapter.targets: '*.bias' matches no parameter of the model.")]
    [TestCase("full", "llama-mini/fp16", "LRT314", "adapter.targets: 'model.embed_tokens.weight' cannot be trained (the file stores it as float16, which rounds small changes off).")]
    [TestCase("bitfit", "minilm/ts-sdpa", "LRT314", "float16")]
    [TestCase("full", "llama-mini/genai-int4", "LRT314", "uint8")]
    [TestCase("full", "roberta-mini/seqcls.int8-dynamic", "LRT314", "int8")]
    public void What_cannot_be_trained_is_refused_by_name(string method, string export, string code, string text)
    {
        var model = Load(export);

        var failure = Assert.Throws<LortaException>(() => PlanOf(model, new() { Method = method }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo((code, true)));
        Assert.That(failure.Message, Does.Contain(text));
    }

    [Test]
    public void Options_of_places_are_refused()
    {
        AdapterOptions[] senseless = [new() { Layers = LayerChoice.Of(0) }, new() { Dropout = 0.1 }, new() { Sites = [new() { Match = "layers.*.q", Rank = 2 }] }];

        foreach (var options in senseless)
            Assert.That(() => PlanOf(Linear(), options with { Method = "full" }), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT319"));
    }

    [Test]
    public void Sizes_alone_do_not_tell_their_number() =>
        Assert.That(() => AdapterPlan.Of(new Architecture(8, 2, 2, 4, 2), new AdapterOptions { Method = "bitfit" }), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT331"));

    [Test]
    public void They_have_no_side_branches() =>
        Assert.That(() => DeployedInjection.WithInputs(Linear().Deployed, new() { Method = "full" }, new Dictionary<string, OnnxTensor>(), 0), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT322"));

    [Test]
    public void A_stored_adapter_takes_the_parameters_that_it_holds()
    {
        var (config, model) = Stored(["layer.bias"]);

        var plan = AdapterPlan.Of(model, config.AdapterOptions);

        Assert.That(plan.Parameters.Select(parameter => parameter.Name), Is.EqualTo(new[] { "layer.bias" }));
        Assert.That((config.Rank, config.Targets, config.Layers, config.Base.Architecture), Is.EqualTo(((int?)null, new[] { "*" }, Array.Empty<int>(), (Architecture?)null)));
    }

    [Test]
    public void A_stored_adapter_without_parameters_is_damaged()
    {
        var (config, model) = Stored([]);

        var failure = Assert.Throws<LortaException>(() => BaseModels.PlanOf(model, new Adapter("folder", config, new Dictionary<string, OnnxTensor>()), allowOtherWeights: false, LortaCatalog.Default))!;

        Assert.That((failure.Code, failure.Message.Contains("'trainables' names no parameter", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    private static (AdapterConfig Config, UnderstoodModel Model) Stored(string[] trainables)
    {
        var model = Linear();
        var plan = PlanOf(model, new() { Method = "full" });
        return (AdapterConfig.Of(plan, BaseModels.Describe(model, plan)) with { Trainables = trainables }, model);
    }

    private static AdapterPlan PlanOf(UnderstoodModel model, AdapterOptions options) => AdapterPlan.Of(model, options);

    private static UnderstoodModel Load(string export) => UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export)));

    // y = x·W + b, W [3, 4]
    private static UnderstoodModel Linear()
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [2, 3])];
        var weight = tape[model.Graph.AddConstant("layer.weight", RandomTensor.Normal("w", 3, 4))];
        var bias = tape[model.Graph.AddConstant("layer.bias", RandomTensor.Normal("b", 4))];
        model.Graph.AddOutput((x.MatMul(weight) + bias).Value);
        return UnderstoodModel.Of(model);
    }
}
