using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>A family that changes its factors after every step and adds a penalty to the loss, in whole runs.</summary>
internal sealed class AfterStepTests
{
    private const double Penalty = 100;
    private static readonly string[] Settings = ["adapter.method=counting", "train.optimizer.lr=1e-2", "train.clip=1e-3"];

    private TinyRun _run = null!;
    private Recorded _recorded = null!;

    [SetUp]
    public void CreateRun() => (_run, _recorded) = (new TinyRun(), new Recorded());

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [Test]
    public void It_follows_every_step_with_the_clipped_gradients_the_total_and_its_own_state()
    {
        Train("run");

        Assert.That(_recorded.Steps.Select(step => (step.Step, step.State["steps"].ToFloats()[0])), Is.EqualTo(Enumerable.Range(1, 6).Select(step => ((long)step, step - 1f))));
        Assert.That(_recorded.TotalSteps, Is.EqualTo(6));
        foreach (var step in _recorded.Steps)
        {
            var norm = Math.Sqrt(step.Gradients.Values.SelectMany(gradient => gradient.ToFloats()).Sum(value => (double)value * value));
            Assert.That(norm, Is.EqualTo(1e-3).Within(0.01).Percent);
        }
    }

    [Test]
    public void What_it_changes_is_what_is_saved()
    {
        Train("run");

        var factors = Safetensors.Load(_run["run", "adapter", "adapter_model.safetensors"]).Tensors;
        foreach (var (name, tensor) in factors.Where(pair => pair.Key.EndsWith(".B", StringComparison.Ordinal)))
            Assert.That(tensor.ToFloats()[0], Is.EqualTo(7), name);
    }

    [Test]
    public void Its_state_is_in_the_checkpoints()
    {
        Train("run");

        Assert.That(Safetensors.Load(_run["run", "checkpoints", "step-00000006.safetensors"]).Tensors["family.steps"].ToFloats(), Is.EqualTo(new[] { 6f }));
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(5)]
    public void Killed_and_resumed_run_ends_in_the_same_bytes(int step)
    {
        Train("whole");

        using var kill = Progress.KillAt(step);
        Assert.Throws<KilledException>(() => TinyRun.Train(Request("run"), kill));
        TinyRun.Train(Request("run") with { Resume = true }, Progress.None);

        Assert.That(_run.Adapter("run"), Is.EqualTo(_run.Adapter("whole")));
    }

    [Test]
    public void Best_step_is_one_of_those_whose_factors_are_final()
    {
        Train("run");

        // the loss rises with every step: without the family's word the first evaluation would be the best
        Assert.That(Directory.GetFiles(_run["run", "checkpoints"]).Select(Path.GetFileName), Does.Not.Contain("step-00000002.safetensors"));
    }

    [Test]
    public void Penalty_is_trained_and_not_measured()
    {
        using var progress = Progress.None;

        TinyRun.Train(Request("run"), progress);

        Assert.That(progress.Steps.Select(step => step.Loss), Has.All.GreaterThan(Penalty));
        Assert.That(progress.Evaluations.Select(evaluation => evaluation.Loss), Is.Not.Empty.And.All.LessThan(Penalty));
    }

    private void Train(string output) => TinyRun.Train(Request(output), Progress.None);

    private RunRequest Request(string output) => _run.Request(output, LortaCatalog.Default.With(new AdapterFamilyEntry("counting", [], options => new Counting(options, _recorded))), Settings);

    private sealed class Recorded
    {
        public List<FinishedStep> Steps { get; } = [];

        public long TotalSteps { get; set; }
    }

    /// <summary>LoRA that counts steps, sets the first number of each B to 7 once it has counted to 2, and wants a constant penalty.</summary>
    private sealed class Counting(AdapterOptions options, Recorded recorded) : IAdapterFamily, IAfterStep
    {
        private readonly IAdapterFamily _lora = LortaCatalog.Default.Create(options with { Method = "lora" });

        public string Method => "counting";

        public double Scale => _lora.Scale;

        public IReadOnlyDictionary<string, OnnxTensor> InitialState => new Dictionary<string, OnnxTensor> { ["steps"] = OnnxTensor.Vector<float>([0]) };

        public IReadOnlyList<Factor> Factors(AdapterSites sites) => _lora.Factors(sites);

        public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) => _lora.AsLora(site, f);

        public Expr? Penalty(AdapterSites sites, FactorSet f) => (f[sites.All[0], "A"].Total() * 0) + AfterStepTests.Penalty;

        public IAfterStep? AfterStep(AdapterSites sites, long totalSteps)
        {
            recorded.TotalSteps = totalSteps;
            return this;
        }

        public long FirstFinalStep => recorded.TotalSteps - 1;

        public StepChange Apply(FinishedStep step)
        {
            recorded.Steps.Add(step with { State = step.State.ToDictionary() });
            var count = step.State["steps"].ToFloats()[0] + 1;
            var changed = step.Factors.Where(pair => count > 2 && pair.Key.EndsWith(".B", StringComparison.Ordinal));
            return new(changed.ToDictionary(pair => pair.Key, pair => WithSeven(pair.Value)), new Dictionary<string, OnnxTensor> { ["steps"] = OnnxTensor.Vector<float>([count]) });
        }

        private static OnnxTensor WithSeven(OnnxTensor tensor)
        {
            var values = tensor.ToFloats();
            values[0] = 7;
            return OnnxTensor.Of<float>([.. tensor.Dims], values);
        }
    }
}
