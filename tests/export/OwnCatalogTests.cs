using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Export.Tests;

/// <summary>A family, a loss and a gradient rule that this project does not have, given by value alone.</summary>
internal sealed class OwnCatalogTests
{
    private static readonly GradientRule Mish = new("Mish", r => [r.G * SlopeOfMish(r.X)]);

    private static readonly LortaCatalog Catalog = LortaCatalog.Default.With(Gain.Entry).With(Loss.Of("huber", Huber)).With(Mish, replace: true);

    private static readonly IReadOnlyDictionary<string, OnnxTensor> None = new Dictionary<string, OnnxTensor>();

    private readonly OnnxModel _base = WithMish();
    private TestFolder _folder = null!;

    private static OrtEngineOptions Settings { get; } = new() { Threads = 1, Catalog = Catalog };

    [SetUp]
    public void SetUp() => _folder = new TestFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void They_pass_the_check_of_gradients() => Assert.That(Checked(Catalog).Verdict, Is.EqualTo(GradientVerdict.Ok));

    [Test]
    public void A_rule_counts_in_its_catalog_and_in_no_other()
    {
        var wrong = LortaCatalog.Default.With(Gain.Entry).With(Loss.Of("huber", Huber)).With(Mish with { Inputs = r => [r.G * 3] }, replace: true);

        Assert.That((Checked(wrong).Verdict, Checked(Catalog).Verdict), Is.EqualTo((GradientVerdict.Wrong, GradientVerdict.Ok)));
    }

    [Test]
    public void They_are_in_no_catalog_that_they_were_not_added_to()
    {
        var options = Options(None);

        Assert.That(() => TrainingGraphs.Build(_base, options), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT411"));
        Assert.That(() => TrainingGraphs.Build(_base, options with { Task = "causal-lm" }), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT301"));
    }

    [Test]
    public void What_was_trained_saved_and_loaded_is_folded_and_injected()
    {
        Trained().Save();
        var adapter = Adapter.Load(_folder["adapter"]);

        Settings.ToEngine().Fold(_base, adapter).Save(_folder["folded.onnx"]);
        DeployedInjection.WithInputs(_base, adapter, allowOtherBase: false, Catalog).Model.Save(_folder["injected.onnx"]);

        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(_base), adapter, allowOtherBase: false, Catalog).Model;
        Assert.That(Difference(adapted, _base), Is.GreaterThan(1e-3));
        Assert.That(Difference(adapted, OnnxModel.Load(_folder["folded.onnx"])), Is.LessThanOrEqualTo(1e-5));
        Assert.That(Difference(adapted, OnnxModel.Load(_folder["injected.onnx"])), Is.LessThanOrEqualTo(1e-5));
    }

    private static double Difference(OnnxModel a, OnnxModel b) => Settings.ToEngine().Compare(a, b, new VerifyOptions { Length = 8 }).MaxRelDiff;

    private Adapter Trained()
    {
        var graphs = TrainingGraphs.Build(_base, Options(None), Catalog);
        using var runtime = Settings.Open(graphs);
        var losses = new List<double>();
        for (var step = 0; step < 8; step++)
        {
            losses.Add(runtime.Accumulate(Batch, weight: 1));
            runtime.Step(learningRateFactor: 1);
        }
        Assert.That(losses[^1], Is.LessThan(losses[0]));
        var tensors = graphs.Trained.ToDictionary(tensor => tensor.Name, tensor => runtime.State.Tensors[tensor.Name]);
        return Adapter.Of(graphs.Plan, graphs.Base, tensors, graphs.Seed) with { Path = _folder["adapter"] };
    }

    private DifferenceResult Checked(LortaCatalog catalog)
    {
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(UnderstoodModel.Of(_base), Options(None).Adapter, catalog), seed: 0);
        return new CentralDifferenceCheck(TrainingGraphs.Build(_base, Options(values), catalog), Settings, seed: 0).Run(Batch);
    }

    private static Batch Batch => SampleBatch.For("huber", 20, 20, seed: 0, ownLabels: LabelKind.Number);

    private static TrainingOptions Options(IReadOnlyDictionary<string, OnnxTensor> values) => new()
    {
        Adapter = new AdapterOptions { Method = "gain", Targets = ["q", "v"] },
        Task = "huber",
        Optimizer = new() { LearningRate = 2e-2 },
        Values = values,
    };

    // The mean of q²/2 + |d| − q, q = min(|d|, 1), d = mean score − label: |d| − q is what |d| is above 1.
    private static LossValue Huber(LossCall model)
    {
        var scores = model.Output(name: null, rank: 3);
        var distance = (scores.Mean(1, 2).Squeeze(1, 2) - model.Labels(ElementType.Float, [model.Batch])).Op("Abs");
        var above = (distance - 1).Op("Relu");
        var near = distance - above;
        return new((0.5 * near * near + above).Op("ReduceMean", [], ("keepdims", 0)), scores);
    }

    // y = x·tanh(softplus x), t = tanh(softplus x)  ⇒  y′ = t + x·(1 − t²)·σ(x)
    private static Expr SlopeOfMish(Expr x)
    {
        var t = x.Op("Softplus").Op("Tanh");
        return t + (x * (1 - (t * t)) * x.Op("Sigmoid"));
    }

    private static OnnxModel WithMish()
    {
        var model = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "bert").Path);
        var graph = model.Graph;
        foreach (var erf in graph.Nodes.Where(node => node.Op == "Erf").ToArray())
        {
            var mish = new Node("Mish", string.Empty, [erf.Input(0)], [graph.AddValue($"{erf.Name}/Mish/output")]) { Name = $"{erf.Name}/Mish" };
            graph.Add(mish, after: erf);
            graph.ReplaceUses(erf.Output, mish.Output);
            graph.Remove(erf);
        }
        return CanonicalModel.Of(model).Model;   // at opset 21: Mish is there from opset 18 on
    }
}
