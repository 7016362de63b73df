using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Tests.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

/// <summary>Files that hold an adapter as side branches take another one like any other file. CI takes two families, each in one form of
/// file; with <c>LORTA_MATRIX=1</c> more, in both.</summary>
internal sealed class EarlierAdaptersTests
{
    private const string Export = "llama-mini/ts-sdpa";

    private static readonly AdapterOptions Options = new() { Method = "lora", Rank = 2, Alpha = 2, Targets = ["q", "v"] };

    private static IEnumerable<TestCaseData> Files =>
        from method in new[] { "lorta", "lora", "vera", "loretta_adp" }
        from keepsBase in new[] { false, true }
        where (method, keepsBase) is ("lorta", true) or ("lora", false) || Environment.GetEnvironmentVariable("LORTA_MATRIX") == "1"
        select new TestCaseData(method, keepsBase);

    [TestCaseSource(nameof(Files))]
    public void Training_graphs_have_the_names_of_the_new_adapter_alone(string method, bool keepsBase)
    {
        var options = OptionsOf(method);
        var graphs = TrainingGraphs.Build(Adapted(options, seed: 1, keepsBase), new TrainingOptions { Adapter = options, Task = "causal-lm" });
        var plain = TrainingGraphs.Build(Model(), new TrainingOptions { Adapter = options, Task = "causal-lm" });

        Assert.That(Names(graphs.Train.Graph.Inputs), Is.EqualTo(Names(plain.Train.Graph.Inputs)));
        Assert.That(Names(graphs.Train.Graph.Outputs), Is.EqualTo(Names(plain.Train.Graph.Outputs)));
        Assert.That(Names(graphs.Eval.Graph.Inputs), Is.EqualTo(Names(plain.Eval.Graph.Inputs)));
    }

    [TestCaseSource(nameof(Files))]
    public void The_first_adapter_stays_on_while_the_second_is_switched_in_the_training_copy(string method, bool keepsBase)
    {
        var file = Adapted(OptionsOf(method), seed: 1, keepsBase);
        var second = Second(file, OptionsOf(method));
        var switchable = AdaptedModels.Switchable(UnderstoodModel.Of(file), second.Adapter, allowOtherBase: false, LortaCatalog.Default);

        var (off, on) = (Logits(switchable.Model, switchable.Off), Logits(switchable.Model));

        var (first, both) = (Logits(file), Logits(second.Model));
        Assert.That(off, Is.EqualTo(first).Within(1e-5 * first.Max(Math.Abs)));
        Assert.That(on, Is.EqualTo(both).Within(1e-5 * both.Max(Math.Abs)));
        Assert.That(both, Is.Not.EqualTo(first).Within(1e-3 * first.Max(Math.Abs)), "the second adapter must change something");
        Assert.That(first, Is.Not.EqualTo(Logits(Model())).Within(1e-3 * first.Max(Math.Abs)), "the first adapter must change something");
    }

    [Test]
    public void A_host_switches_each_of_two_injected_adapters()
    {
        var first = Adapted(Options, seed: 1, keepsBase: false);
        var both = Second(first, Options).Model;
        var (none, newest) = (Logits(both, Scale("scale"), Scale("adapter1.scale")), Logits(both, Scale("adapter1.scale")));

        Assert.That(Names(both.Graph.Inputs.Where(input => input.Name.EndsWith("layers.0.q.A", StringComparison.Ordinal))), Is.EqualTo(new[] { "adapter1.factor.layers.0.q.A", "factor.layers.0.q.A" }));
        Assert.That(Logits(both, Scale("scale")), Is.EqualTo(Logits(first)).Within(1e-4));
        Assert.That(none, Is.EqualTo(Logits(Model())).Within(1e-4));
        Assert.That(newest, Is.EqualTo(Logits(Second(Model(), Options).Model)).Within(1e-4));
    }

    [Test]
    public void A_third_adapter_renames_the_second_only()
    {
        var three = Second(Second(Adapted(Options, seed: 1, keepsBase: false), Options).Model, Options, seed: 3).Model;

        Assert.That(Names(three.Graph.Inputs.Where(input => input.Name.EndsWith("scale", StringComparison.Ordinal))), Is.EqualTo(new[] { "adapter1.scale", "adapter2.scale", "scale" }));
    }

    [Test]
    public void Constants_leave_the_names_of_the_file_to_its_own_adapter()
    {
        var file = Adapted(Options, seed: 1, keepsBase: false);
        var second = Second(file, Options);

        var kept = DeployedInjection.WithConstants(UnderstoodModel.Of(file), second.Adapter, allowOtherBase: false);

        Assert.That(Names(kept.Graph.Inputs), Is.EqualTo(Names(file.Graph.Inputs)));
        Assert.That(kept.Graph.Find("adapter1.factor.layers.0.q.A")!.Constant!.Bytes.SequenceEqual(second.Adapter.Tensors["layers.0.q.A"].Bytes));
        Assert.That(Logits(kept, Scale("scale")), Is.EqualTo(Logits(Second(Model(), Options).Model)).Within(1e-4));
    }

    [TestCaseSource(nameof(Files))]
    public void An_adapter_that_the_file_holds_is_refused(string method, bool keepsBase)
    {
        var (model, adapter) = Second(Model(), OptionsOf(method));
        var file = keepsBase ? DeployedInjection.WithConstants(UnderstoodModel.Of(Model()), adapter, allowOtherBase: false) : model;

        var failure = Assert.Throws<LortaException>(() => DeployedInjection.WithInputs(file, adapter))!;

        Assert.That(failure.Code, Is.EqualTo("LRT714"));
        Assert.That(() => DeployedInjection.WithInputs(file, adapter, allowOtherBase: true), Throws.Nothing);
    }

    [Test]
    public void The_first_of_two_adapters_is_refused_as_well()
    {
        var (first, adapter) = Second(Model(), Options);
        var both = Second(first, Options, seed: 3).Model;

        Assert.That(() => DeployedInjection.WithInputs(both, adapter), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT714"));
    }

    [Test]
    public void A_file_whose_factors_have_no_values_takes_no_adapter()
    {
        var injected = Second(Model(), Options);
        injected.RequireFactors();

        Assert.That(() => DeployedInjection.WithInputs(injected.Model, Options), Refused("LRT715"));
        Assert.That(() => DeployedInjection.WithConstants(UnderstoodModel.Of(injected.Model), injected.Adapter, allowOtherBase: false), Refused("LRT715"));
        Assert.That(() => TrainingGraphs.Build(injected.Model, new TrainingOptions { Adapter = Options, Task = "causal-lm" }), Refused("LRT715"));

        static NUnit.Framework.Constraints.IResolveConstraint Refused(string code) =>
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo(code).And.Message.Contains("'factor.layers.0.q.A'");
    }

    [Test]
    public void A_tensor_of_the_model_that_is_called_scale_makes_room()
    {
        var model = Model();
        model.Graph.Rename(model.Graph.Initializers.First(value => value.Constant!.Rank == 1), "scale");

        var injected = DeployedInjection.WithInputs(model, Options).Model;

        Assert.That(injected.Graph.Find("scale")!.IsInput);
        Assert.That(Logits(injected), Is.EqualTo(Logits(model)));
    }

    private static OnnxModel Model() => OnnxModel.Load(Exports.Path(Export));

    private static AdapterOptions OptionsOf(string method) =>
        method == "loretta_adp" ? new() { Method = method } : Options with { Method = method };

    private static OnnxModel Adapted(AdapterOptions options, int seed, bool keepsBase)
    {
        var (model, adapter) = Second(Model(), options, seed);
        return keepsBase ? DeployedInjection.WithConstants(UnderstoodModel.Of(Model()), adapter, allowOtherBase: false) : model;
    }

    private static InjectedModel Second(OnnxModel file, AdapterOptions options, int seed = 2)
    {
        var names = DeployedInjection.WithInputs(Model(), options).Adapter.Tensors;
        return DeployedInjection.WithInputs(file, options, names.ToDictionary(pair => pair.Key, pair => RandomTensor.Normal($"{seed}/{pair.Key}", pair.Value.Dims, 1.0 / 3)));
    }

    private static KeyValuePair<string, OnnxTensor> Scale(string name) => new(name, OnnxTensor.Scalar(0f));

    private static float[] Logits(OnnxModel model, params IEnumerable<KeyValuePair<string, OnnxTensor>> more) =>
        ((IGraphEvaluator)FamilyCase.Evaluator).Run(model, Exports.Batch(Export, model).Concat(more).ToDictionary())["logits"].ToFloats();

    private static IEnumerable<string> Names(IEnumerable<Value> values) => values.Select(value => value.Name);
}
