using System.Globalization;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Tests.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

internal sealed class AdapterTests
{
    private static readonly FamilyCase Given = FamilyCase.All.First(item => item.Plan.Options.Method == "lorta");

    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Configuration_comes_back_as_it_was()
    {
        var config = Config() with { Task = "causal-lm", Labels = ["a", "b"], Trainables = ["classifier.bias"] };
        (With("param.classifier.bias", OnnxTensor.Vector<float>([1])) with { Path = _folder["a"], Config = config }).Save();

        var loaded = Adapter.Load(_folder["a"]).Config;

        Assert.That((loaded with { Sha256 = null }).ToJson(), Is.EqualTo(config.ToJson()));
    }

    [Test]
    public void Equal_adapters_are_equal_bytes()
    {
        foreach (var name in new[] { "a", "b" }) new Adapter(_folder[name], Config(), Given.Factors).Save();

        foreach (var file in new[] { Adapter.ConfigFile, Adapter.TensorFile })
            Assert.That(File.ReadAllBytes(_folder["b", file]), Is.EqualTo(File.ReadAllBytes(_folder["a", file])));
    }

    [Test]
    public void An_adapter_that_is_replaced_all_the_time_is_read_whole()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Only Linux swaps folders in one step.");
        Adapter(0).Save();
        var writing = Task.Run(() =>
        {
            for (var i = 1; i < 60; i++) Adapter(i).Save();
        });

        while (!writing.IsCompleted)
        {
            var read = GraphGen.Adapter.Load(_folder["a"]);
            Assert.That(read.Tensors["A"].ToFloats(), Is.EqualTo(Adapter(int.Parse(read.Config.Task!, CultureInfo.InvariantCulture)).Tensors["A"].ToFloats()));
        }
        writing.GetAwaiter().GetResult();
        Assert.That(_folder.Entries, Has.Count.EqualTo(4));

        Adapter Adapter(int number) => new(_folder["a"], Config() with { Task = $"{number}" }, Given.Factors.ToDictionary(
            factor => factor.Key,
            factor => OnnxTensor.Of<float>([.. factor.Value.Dims], [.. factor.Value.ToFloats().Select(value => value + number)]),
            StringComparer.Ordinal));
    }

    [Test]
    public void Saving_again_replaces_the_folder_whole()
    {
        new Adapter(_folder["a"], Config() with { Task = "regression" }, Given.Factors).Save();

        new Adapter(_folder["a"], Config(), Given.Factors).Save();

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "a", "a/README.md", "a/adapter_config.json", "a/adapter_model.safetensors" }));
        Assert.That(Adapter.Load(_folder["a"]).Config.Task, Is.Null);
    }

    [Test]
    public void Folder_with_files_of_others_is_not_replaced()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        File.WriteAllText(_folder["a", "notes.txt"], "mine");

        var failure = Assert.Throws<LortaException>(() => new Adapter(_folder["a"], Config(), Given.Factors).Save())!;

        Assert.That((failure.Code, File.ReadAllText(_folder["a", "notes.txt"])), Is.EqualTo(("LRT107", "mine")));
    }

    [Test]
    public void A_model_that_belongs_to_the_folder_and_cannot_be_written_leaves_no_folder()
    {
        var model = new OnnxModel(new Graph("m"));
        _folder.Write("taken", "mine");

        Assert.That(() => new Adapter(_folder["a"], Config(), Given.Factors).SaveWith(model, _folder["taken", "m.onnx"]),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT104"));

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "taken" }));
    }

    [Test]
    public void Missing_folder_is_named()
    {
        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["none"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT101"));
        Assert.That(failure.Message, Does.Contain(_folder["none"]));
    }

    [TestCase("{")]
    [TestCase("{}")]
    [TestCase("null")]
    [TestCase("""{"format": "other", "formatVersion": 1}""")]
    public void Configuration_of_something_else_is_refused(string json)
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        File.WriteAllText(_folder["a", Adapter.ConfigFile], json);

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT313"));
    }

    [Test]
    public void File_of_tensors_that_is_not_the_one_that_was_written_is_refused()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        new Adapter(_folder["b"], Config(), Given.Factors.ToDictionary(pair => pair.Key, pair => OnnxTensor.Of<float>([.. pair.Value.Dims], new float[pair.Value.Count]))).Save();
        File.Copy(_folder["b", Adapter.TensorFile], _folder["a", Adapter.TensorFile], overwrite: true);

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That((failure.Code, failure.Message.Contains("sha256", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    [Test]
    public void Configuration_without_a_hash_is_that_of_an_older_adapter()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        File.WriteAllText(_folder["a", Adapter.ConfigFile], Config().ToJson());

        Assert.That(() => Adapter.Load(_folder["a"]), Throws.Nothing);
    }

    [Test]
    public void Tensors_that_the_configuration_does_not_name_are_refused()
    {
        var failure = Assert.Throws<LortaException>(() => With("layers.9.q.A", OnnxTensor.Vector<float>([1])).CheckNames(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'layers.9.q.A'", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
        Assert.That(() => With("param.classifier.bias", OnnxTensor.Vector<float>([1])).CheckNames(Given.Plan), Throws.Nothing);
    }

    [TestCase("targets", "[\"q\", null]", "'targets'")]
    [TestCase("headMap", "{\"q\": null}", "'headMap.q'")]
    [TestCase("options", "{\"zero\": null}", "'options.zero'")]
    [TestCase("trainables", "[null]", "'trainables'")]
    [TestCase("labels", "[null]", "'labels'")]
    [TestCase("base", "{\"name\": \"x\", \"architecture\": {\"hidden\": 0, \"heads\": -4, \"kvHeads\": 1, \"headWidth\": 1, \"layers\": 1}, \"sketch\": {\"values\": {}}}", "not positive")]
    [TestCase("base", "{\"name\": \"x\", \"architecture\": {\"hidden\": 1, \"heads\": 1, \"kvHeads\": 1, \"headWidth\": 1, \"layers\": 1}, \"sketch\": {\"values\": {\"layers.0.q\": null}}}", "base.sketch.values.layers.0.q")]
    [TestCase("base", "{\"name\": \"x\", \"architecture\": {\"hidden\": 1, \"heads\": 1, \"kvHeads\": 1, \"headWidth\": 1, \"layers\": 1}, \"sketch\": {\"values\": {}, \"steps\": {\"a\": []}}}", "base.sketch.steps.a")]
    public void Holes_in_the_configuration_are_named(string key, string value, string says)
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        var json = JsonNode.Parse(File.ReadAllText(_folder["a", Adapter.ConfigFile]))!.AsObject();
        json[key] = JsonNode.Parse(value);
        _folder.Write("a/adapter_config.json", json.ToJsonString());

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT313"));
        Assert.That(failure.Message, Does.Contain(says));
    }

    [Test]
    public void Key_that_is_given_twice_is_refused()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        _folder.Write("a/adapter_config.json", File.ReadAllText(_folder["a", Adapter.ConfigFile]).Replace("\"rank\":", "\"rank\": 1, \"rank\":", StringComparison.Ordinal));

        Assert.That(Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!.Code, Is.EqualTo("LRT313"));
    }

    [Test]
    public void Later_format_is_refused_with_its_version()
    {
        new Adapter(_folder["a"], Config() with { FormatVersion = 2 }, Given.Factors).Save();

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That(failure.Message, Does.Contain("lorta-onnx 2"));
    }

    [Test]
    public void Missing_factor_is_named()
    {
        var adapter = new Adapter(_folder["a"], Config(), Given.Factors.Where(pair => pair.Key != "C_L").ToDictionary());

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'C_L'", StringComparison.Ordinal)), Is.EqualTo(("LRT309", true)));
    }

    [Test]
    public void Factor_of_another_shape_is_named_with_both_shapes()
    {
        var adapter = new Adapter(_folder["a"], Config(), Given.Factors.ToDictionary(pair => pair.Key, pair => pair.Key == "B" ? OnnxTensor.Of<float>([2], new float[2]) : pair.Value));

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That(failure.Code, Is.EqualTo("LRT308"));
        Assert.That(failure.Message, Does.Contain("'B'").And.Contain("[4, 3]").And.Contain("[2]"));
    }

    [Test]
    public void Factor_that_holds_no_floats_is_refused()
    {
        var adapter = With("C_M", OnnxTensor.Of<int>([4, 3], new int[12]));

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'C_M' holds int32, not floats", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    [TestCase(float.NaN)]
    [TestCase(float.NegativeInfinity)]
    public void Factor_that_holds_a_number_that_is_not_finite_is_refused(float number)
    {
        var adapter = With("C_M", OnnxTensor.Of<float>([4, 3], [.. new float[11], number]));

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'C_M' holds numbers that are not finite", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    [Test]
    public void Half_precision_factors_are_widened()
    {
        var adapter = With("C_M", OnnxTensor.FromBytes(ElementType.Float16, [4, 3], new byte[24]));

        Assert.That(adapter.FactorsOf(Given.Plan)["C_M"].Type, Is.EqualTo(ElementType.Float));
    }

    [Test]
    public void Trained_parameter_that_the_file_lacks_is_named()
    {
        new Adapter(_folder["a"], Config() with { Trainables = ["classifier.bias"] }, Given.Factors).Save();

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That((failure.Code, failure.Message.Contains("'param.classifier.bias'", StringComparison.Ordinal)), Is.EqualTo(("LRT309", true)));
    }

    [Test]
    public void Trained_parameter_that_the_configuration_leaves_out_is_named()
    {
        (With("param.classifier.bias", OnnxTensor.Vector<float>([1])) with { Path = _folder["a"] }).Save();

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That((failure.Code, failure.Message.Contains("'classifier.bias'", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    private static Adapter With(string name, OnnxTensor tensor) => new("a", Config(), new Dictionary<string, OnnxTensor>(Given.Factors) { [name] = tensor });

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

    private static AdapterConfig Config() => AdapterConfig.Of(Given.Plan, new BaseModel("toy.onnx", Given.Plan.Architecture, new WeightSketch(new Dictionary<string, IReadOnlyList<float>> { ["layers.0.q"] = [0.1f, -2, 3, 4, 5, 6, 7, 8] })));

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
