using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Gradcheck;

internal sealed class CentralDifferenceCheckTests
{
    private static readonly OrtEngineOptions Settings = new() { Threads = 1 };

    // Curved (a large α), with kinks (ReLU in opt), and with operators that ONNX Runtime computes in float32 only (Gelu in bert and distilbert).
    private static IEnumerable<TestCaseData> Right =>
        from model in new[] { "bert", "opt", "distilbert", "gpt2", "llama4" }
        from run in new[] { (Method: "lora", Seed: 1L), (Method: "lorta", Seed: 3) }
        select new TestCaseData(model, run.Method, run.Seed);

    private static IEnumerable<TestCaseData> Mutations()
    {
        yield return Case("off by 1 %", values => [.. values.Select(value => value * 1.01f)]);
        yield return Case("off by -5 %", values => [.. values.Select(value => value * 0.95f)]);
        yield return Case("of the other sign", values => [.. values.Select(value => -value)]);
        yield return Case("each number off by up to 5 %", values => [.. values.Select((value, i) => value * (1 + (i % 2 == 0 ? 0.05f : -0.05f)))]);
        yield return Case("some signs flipped", values => [.. values.Select((value, i) => i % 7 == 0 ? -value : value)]);
        yield return Case("a part dropped", values => [.. values.Select((value, i) => i < values.Length / 8 ? 0 : value)]);
        yield return Case("a number that is none", values => [float.NaN, .. values.Skip(1)]);

        static TestCaseData Case(string name, Func<float[], float[]> mutate) => new TestCaseData(mutate).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Right))]
    public void Right_gradients_are_ok(string model, string method, long seed)
    {
        var (graphs, batch) = Prepared(model, method, seed);

        var result = new CentralDifferenceCheck(graphs, Settings, seed).Run(batch);

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors));
        Assert.That(result.Ok, Is.True);
    }

    // Products of many cores, sums of 64 bases and thousands of ReLUs: none may saturate attention, hide in rounding or meet a kink.
    [TestCase("nola"), TestCase("loretta_rep"), TestCase("loretta_adp")]
    public void Right_gradients_of_a_family_are_ok_with_its_own_defaults(string method)
    {
        var deployed = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "roberta-mini", "model.onnx"));
        var architecture = Architecture.Of(UnderstoodModel.Of(deployed));
        var adapter = new AdapterOptions { Method = method };
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, adapter), seed: 0);
        var graphs = TrainingGraphs.Build(deployed, new TrainingOptions { Adapter = adapter, Task = "classification", Values = values });
        var batch = SampleBatch.For("classification", architecture.Vocab!.Value, graphs.Evaluation.Classes!.Value, seed: 0);

        var result = new CentralDifferenceCheck(graphs, Settings, seed: 0).Run(batch);

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors.Where(factor => factor.Verdict != GradientVerdict.Ok)));
    }

    [TestCase("lora", false), TestCase("lorta", true)]
    public void Right_gradients_are_ok_beside_an_adapter_that_the_file_holds(string method, bool keepsBase)
    {
        var (graphs, batch) = Prepared("opt", method, seed: 1, change: model => Adapted(model, method, keepsBase));

        var result = new CentralDifferenceCheck(graphs, Settings, seed: 1).Run(batch);

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors));
    }

    // The new biases are zero and Gelu is computed in float32: rounding is seen only where the zeros move too.
    [TestCase("mlp-falcon"), TestCase("mlp-modernbert")]
    public void Right_gradients_are_ok_where_every_trained_number_is_zero(string model)
    {
        var (graphs, batch) = Prepared(model, "bitfit", seed: 0, targets: ["*.bias"]);

        var result = new CentralDifferenceCheck(graphs, Settings, seed: 0).Run(batch);

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors));
    }

    [Test]
    public void What_the_gradient_takes_for_constant_is_held_and_the_penalty_counts()
    {
        var (graphs, batch) = Prepared("bert", "held", 1, LortaCatalog.Default.With(new AdapterFamilyEntry("held", [], options => new Held(options))));

        var result = new CentralDifferenceCheck(graphs, Settings, 1).Run(batch);

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors));
    }

    [TestCaseSource(nameof(Mutations))]
    public void Wrong_gradient_of_any_one_factor_is_wrong(Func<float[], float[]> mutate)
    {
        foreach (var model in new[] { "bert", "opt" })
        {
            var (graphs, batch) = Prepared(model, "lora", 0);
            foreach (var factor in new[] { graphs.Trained[0], graphs.Trained[^1] })
            {
                using var runtime = new MutatedGradient(new OrtSessionRuntime(graphs, Settings), factor.Name, mutate);

                var result = new CentralDifferenceCheck(graphs, Settings, 0).Run(runtime, batch);

                Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Wrong), $"{model}, {factor.Name}");
                Assert.That(result.Factors.Where(check => check.Verdict != GradientVerdict.Ok).Select(check => check.Name), Is.EqualTo(new[] { factor.Name }));
            }
        }
    }

    [Test, Category("Slow")]
    public void Loss_in_float64_is_the_loss()
    {
        foreach (var architecture in Architectures.All.Where(architecture => architecture.Projections.Length > 0))
        {
            var (graphs, batch) = Prepared(architecture.Name, "lora", 0);
            using var runtime = new OrtSessionRuntime(graphs, Settings);
            using var measured = new MeasuredLoss(graphs, Settings, batch);

            var loss = measured.At(graphs.Trained.ToDictionary(tensor => tensor.Name, tensor => Array.ConvertAll(tensor.Initial.ToFloats(), value => (double)value)));

            Assert.That(loss, Is.EqualTo(runtime.Accumulate(batch, weight: 1)).Within(1e-5).Percent.Or.EqualTo(0), architecture.Name);
        }
    }

    private static (TrainingGraphs Graphs, Batch Batch) Prepared(
        string name, string method, long seed, LortaCatalog? catalog = null, IReadOnlyList<string>? targets = null,
        Func<OnnxModel, OnnxModel>? change = null)
    {
        var deployed = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == name).Path);
        if (change is not null) deployed = change(deployed);
        var understood = UnderstoodModel.Of(deployed);
        var architecture = Architecture.Of(understood);
        var adapter = new AdapterOptions { Method = method, Rank = 2, Alpha = 16, Targets = targets ?? ["q", "v"] };
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(understood, adapter, catalog), seed);
        var graphs = TrainingGraphs.Build(deployed, new TrainingOptions { Adapter = adapter, Task = "causal-lm", Values = values }, catalog);
        return (graphs, SampleBatch.For("causal-lm", architecture.Vocab!.Value, graphs.Evaluation.Classes!.Value, seed));
    }

    private static OnnxModel Adapted(OnnxModel model, string method, bool keepsBase)
    {
        var options = new AdapterOptions { Method = method, Rank = 2, Alpha = 4, Targets = ["q", "v"] };
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(UnderstoodModel.Of(model), options), seed: 5);
        var injected = DeployedInjection.WithInputs(model, options, values);
        return keepsBase ? DeployedInjection.WithConstants(UnderstoodModel.Of(model), injected.Adapter, allowOtherBase: false) : injected.Model;
    }

    /// <summary>A runtime that has one gradient wrong.</summary>
    private sealed class MutatedGradient(OrtSessionRuntime runtime, string name, Func<float[], float[]> mutate) : IGradientRuntime
    {
        public IReadOnlyDictionary<string, OnnxTensor> Gradients => runtime.Gradients.ToDictionary(
            pair => pair.Key,
            pair => pair.Key == name ? OnnxTensor.Of<float>([.. pair.Value.Dims], mutate(pair.Value.ToFloats())) : pair.Value);

        public TrainingState State
        {
            get => runtime.State;
            set => runtime.State = value;
        }

        public double Accumulate(Batch batch, double weight) => runtime.Accumulate(batch, weight);

        public IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch) => runtime.Forward(batch);

        public long StepCount => runtime.StepCount;

        public void ClearGradients() => runtime.ClearGradients();

        public double? Step(double learningRateFactor) => runtime.Step(learningRateFactor);

        public void Dispose() => runtime.Dispose();
    }

    /// <summary>LoRA over the sum of squares of B, which counts as constant; the penalty is the square of A.</summary>
    private sealed class Held(AdapterOptions options) : IAdapterFamily
    {
        public string Method => "held";

        public double Scale => options.Scale;

        public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
            [.. sites.All.SelectMany(site => new Factor[] { new($"{site.Key}.A", [site.In, site.Rank], Init.Normal(1)), new($"{site.Key}.B", [site.Out, site.Rank], Init.Zero) })];

        public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) =>
            (f[site, "A"] * f.ScaleOf(site), f[site, "B"] / ((f[site, "B"] * f[site, "B"]).Total() + 1).Detached());

        public Expr? Penalty(AdapterSites sites, FactorSet f) =>
            sites.All.Select(site => (f[site, "A"] * f[site, "A"]).Total() * 0.5).Aggregate((sum, part) => sum + part);
    }
}
