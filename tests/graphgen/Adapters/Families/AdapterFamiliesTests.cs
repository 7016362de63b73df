using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Weights;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>What holds for every family.</summary>
internal sealed class AdapterFamiliesTests
{
    private const int Rows = 5;

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

    private static IEnumerable<FamilyCase> Foldable => Cases.Where(given => FoldGraph.IsPossible(given.Plan));

    private static IEnumerable<FamilyCase> WithAlpha => Cases.Where(given => AdapterFamilies.All.Single(family => family.Method == given.Plan.Options.Method).Options.Contains(AdapterOptions.RankStabilised));

    [TestCaseSource(nameof(Additive))]
    public void Emit_is_y_plus_x_times_delta(FamilyCase given)
    {
        var fold = new FoldGraph(given.Plan, given.Factors, FamilyCase.Evaluator);

        foreach (var site in given.Plan.Sites.All)
        {
            var (x, y, adapted) = Emitted(given, site, given.Factors, scale: null);

            var expected = FamilyCase.Product(x, fold.Delta(site)!).Zip(y.ToFloats(), (change, before) => change + before).ToArray();
            Assert.That(adapted.ToFloats(), Is.EqualTo(expected).Within(2e-5 * Largest(y.ToFloats(), adapted.ToFloats())), site.Address);
        }
    }

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

    [TestCaseSource(nameof(Foldable))]
    public void Folded_layer_computes_what_the_adapted_one_computes(FamilyCase given)
    {
        var fold = new FoldGraph(given.Plan, given.Factors, FamilyCase.Evaluator);

        foreach (var site in given.Plan.Sites.All)
        {
            var (x, y, adapted) = Emitted(given, site, given.Factors, scale: null);

            var folded = fold.Fold(site, FamilyCase.WeightOf(site), FamilyCase.BiasOf(site))!.Value;
            var bias = folded.Bias!.ToFloats();
            var expected = FamilyCase.Product(x, folded.Weight).Select((value, i) => value + bias[i % site.Out]).ToArray();
            Assert.That(adapted.ToFloats(), Is.EqualTo(expected).Within(2e-5 * Largest(y.ToFloats(), adapted.ToFloats())), site.Address);
            Assert.That(adapted.ToFloats(), Is.Not.EqualTo(y.ToFloats()).Within(1e-2), "the adapter must change something");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Fresh_adapter_changes_nothing(FamilyCase given)
    {
        foreach (var site in given.Plan.Sites.All)
        {
            var (_, y, adapted) = Emitted(given, site, given.Drawn, scale: null);

            Assert.That(adapted.ToFloats(), Is.EqualTo(y.ToFloats()), site.Address);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Fresh_adapter_has_a_gradient(FamilyCase given)
    {
        var gradients = GradientsAtStart(given);

        Assert.That(gradients.Values.Max(gradient => gradient.ToFloats().Max(Math.Abs)), Is.GreaterThan(1e-3));
    }

    [TestCaseSource(nameof(Cases))]
    public void Scale_of_zero_turns_it_off(FamilyCase given)
    {
        var (_, y, adapted) = Emitted(given, given.Plan.Sites.All[0], given.Factors, scale: 0);

        Assert.That(adapted.ToFloats(), Is.EqualTo(y.ToFloats()));
    }

    [TestCaseSource(typeof(FamilyCase), nameof(FamilyCase.All))]
    public void Dropout_drops_something_or_is_refused(FamilyCase given)
    {
        if (!given.Plan.Family.HasDropout)
        {
            var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(given.Plan.Architecture, given.Plan.Options with { Dropout = 0.1 }))!;
            Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT319", $"adapter.dropout: {given.Plan.Options.Method} has no input that elements could be dropped from; leave it at 0.")));
            return;
        }
        var (model, tape) = Ort.New();
        var site = given.Plan.Sites.All[0];

        given.Plan.Family.Emit(FamilyCase.Layer(tape, site, tape[model.Graph.AddInput("x", ElementType.Float, [Rows, site.In])], new DropoutInputs()), AdapterInjection.AddInputs(tape, given.Plan));

        Assert.That(model.Graph.Inputs.Select(input => input.Name), Has.Some.StartsWith("dropout."));
    }

    [TestCaseSource(typeof(FamilyCase), nameof(FamilyCase.All))]
    public void Number_of_parameters_follows_the_formula(FamilyCase given)
    {
        Assert.That(Formulas, Does.ContainKey(given.Plan.Options.Method), "a new family needs its formula here");

        Assert.That(given.Plan.Trainable, Is.EqualTo(Formulas[given.Plan.Options.Method](given.Plan)));
    }

    [TestCaseSource(nameof(Cases))]
    public void Saved_adapter_computes_the_same_bits(FamilyCase given)
    {
        using var folder = new TestFolder();
        var path = folder["adapter"];
        var config = AdapterConfig.Of(given.Plan, new BaseModel("toy.onnx", given.Plan.Architecture, new WeightSketch(new Dictionary<string, IReadOnlyList<float>>())));
        new Adapter(path, config, given.Factors).Save();

        var loaded = Adapter.Load(path);

        var plan = AdapterPlan.Of(loaded.Config.Base.Architecture!, loaded.Config.AdapterOptions);
        var same = new FamilyCase(given.Name, plan);
        foreach (var (site, again) in given.Plan.Sites.All.Zip(plan.Sites.All))
            Assert.That(Emitted(same, again, loaded.FactorsOf(plan), scale: null).Adapted.ToFloats(), Is.EqualTo(Emitted(given, site, given.Factors, scale: null).Adapted.ToFloats()), site.Address);
        Assert.That(folder.Entries, Is.EqualTo(new[] { "adapter", "adapter/README.md", "adapter/adapter_config.json", "adapter/adapter_model.safetensors" }));
    }

    [TestCaseSource(nameof(Additive))]
    public void Pair_of_an_additive_family_multiplies_to_delta(FamilyCase given)
    {
        var fold = new FoldGraph(given.Plan, given.Factors, FamilyCase.Evaluator);

        foreach (var site in given.Plan.Sites.All)
        {
            var (a, b) = fold.AsLora(site)!.Value;

            Assert.That((a.Dims[0], b.Dims[0], b.Dims[1]), Is.EqualTo((site.In, site.Out, a.Dims[1])), site.Address);
            var product = FamilyCase.Product(a, OnnxTensor.Of<float>([b.Dims[1], b.Dims[0]], TensorAxes.Transposed(b.ToFloats(), (int)b.Dims[0], (int)b.Dims[1])));
            Assert.That(fold.Delta(site)!.ToFloats(), Is.EqualTo(product).Within(1e-5 * Largest(fold.Delta(site)!.ToFloats())), site.Address);
        }
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

    // The largest absolute value, and 1: float32 is exact to a part of it.
    private static double Largest(params float[][] values) => Math.Max(1, values.Max(each => each.Max(Math.Abs)));

    private static long WithCoreForEachSite(AdapterPlan plan) =>
        (plan.Options.Rank * (plan.Sites.MaxIn + plan.Sites.MaxOut)) + (plan.Options.Rank * plan.Options.Rank * plan.Sites.All.Count);

    // At TT rank 5, so with modes of at least 5.
    private static long CountOfTrain(int elements) => elements switch
    {
        12 or 24 or 36 => elements,        // one mode: 2·2·3, (2·2·2)·3, (2·2·3)·3
        48 => (8 * 5) + (5 * 6),           // 2·2·2, 2·3
        _ => throw new ArgumentOutOfRangeException(nameof(elements), elements, "state its modes"),
    };

    private static (OnnxTensor X, OnnxTensor Y, OnnxTensor Adapted) Emitted(FamilyCase given, AdapterSite site, IReadOnlyDictionary<string, OnnxTensor> factors, float? scale)
    {
        var (model, tape) = Ort.New();
        var set = AdapterInjection.AddInputs(tape, given.Plan, factors);
        var layer = FamilyCase.Layer(tape, site, tape[model.Graph.AddInput("x", ElementType.Float, [Rows, site.In])]);
        var adapted = given.Plan.Family.Emit(layer, set);
        model.Graph.AddOutput(layer.Y.Value);
        model.Graph.AddOutput(adapted.Value);
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Normal("x", Rows, site.In) };
        if (scale is { } number) inputs[TrainingNames.Scale] = OnnxTensor.Scalar(number);
        var outputs = ((IGraphEvaluator)FamilyCase.Evaluator).Run(model, inputs);
        return (inputs["x"], outputs[layer.Y.Value.Name], outputs[adapted.Value.Name]);
    }

    // Of a random linear function of one site's output, with respect to every trained factor.
    private static IReadOnlyDictionary<string, OnnxTensor> GradientsAtStart(FamilyCase given)
    {
        var (model, tape) = Ort.New();
        var set = AdapterInjection.AddInputs(tape, given.Plan);
        var loss = given.Plan.Sites.All.Select(site => (Emit(site) * tape.Constant(RandomTensor.Normal($"g/{site.Address}", Rows, site.Out))).Total()).Aggregate((a, b) => a + b);
        var trained = given.Plan.Factors.Where(factor => factor.IsTrained).ToList();
        var gradients = Gradients.Of(tape, loss.Value, [.. trained.Select(factor => model.Graph.Find($"factor.{factor.Name}")!)], LortaCatalog.Default);
        foreach (var gradient in gradients) model.Graph.AddOutput(gradient.Value);
        model.Graph.RemoveUnused();
        model.Graph.Sort();
        return ((IGraphEvaluator)FamilyCase.Evaluator).Run(model, given.Drawn.ToDictionary(pair => $"factor.{pair.Key}", pair => pair.Value));

        Expr Emit(AdapterSite site) => given.Plan.Family.Emit(FamilyCase.Layer(tape, site, tape.Constant(RandomTensor.Normal($"x/{site.Address}", Rows, site.In))), set);
    }
}
