using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Schedules;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>ONNX Runtime Training against plain ONNX Runtime: the same trainer, the same numbers. CI takes a few exports; with <c>LORTA_MATRIX=1</c> all are taken.</summary>
internal sealed class OrtTrainingRuntimeTests
{
    private const int Steps = 20;
    private const int Vocabulary = 30;   // what each of the models has
    private const double Rate = 1e-3;
    private const double Tolerance = 2e-4;   // of the largest number; where gradients are rounding, AdamW still moves by whole learning rates

    private static readonly OrtEngineOptions Settings = new() { Threads = 1 };
    private static readonly double[] Rates = [.. Enumerable.Repeat(Rate, Steps)];

    private static readonly string[] Some = ["llama-mini/ts-sdpa", "llama-mini/genai-int4", "llama-mini/optimum-past", "roberta-mini/seqcls.ort-fused", "esm-mini/tokencls.ts-sdpa"];

    private static IEnumerable<TestCaseData> Cases()
    {
        var exports = Environment.GetEnvironmentVariable("LORTA_MATRIX") == "1" ? Exports.All : Exports.All.Where(Some.Contains);
        foreach (var export in exports.Where(export => !export.StartsWith("smollm2/", StringComparison.Ordinal) && !export.Contains("/extra/", StringComparison.Ordinal)))
            yield return new(export, "lorta", Array.Empty<string>(), 1.0);
        foreach (var method in new[] { "lora", "dora", "vera" }) yield return new("llama-mini/ts-sdpa", method, Array.Empty<string>(), 1.0);
        yield return new("llama-mini/genai-int4", "lora", Array.Empty<string>(), 0.01);
        yield return new("roberta-mini/seqcls.ts-eager", "lora", new[] { "classifier.*" }, 0.01);
    }

    [TestCaseSource(nameof(Cases)), Category("Slow")]
    public void Losses_and_parameters_are_those_of_plain_onnx_runtime(string export, string method, string[] trainables, double clip) =>
        Compare(OnnxModel.Load(Exports.Path(export)), Steps, new()
        {
            Adapter = new() { Method = method, Rank = 4, LoraPlus = method == "lora" ? 3 : null },
            Task = Exports.TaskOf(export),
            Trainables = [.. trainables.Select(pattern => new TrainablePattern { Match = pattern, LearningRate = Rate * 2 })],
            Optimizer = new() { LearningRate = Rate, Clip = clip },
        });

    [Test, Category("Slow")]
    public void Table_of_4_bits_trains() => Compare(OnnxModel.Load(Exports.Path("smollm2/model")), steps: 3, CausalLm, tolerance: 5e-3);

    [Test]
    public void Weights_of_8_bits_train()
    {
        using var folder = new TestFolder();
        var model = FewBits.Saved(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), FewBitsForm.Blocks8, folder["model.onnx"]);

        Compare(model, steps: 3, CausalLm);
    }

    [Test]
    public void State_of_plain_onnx_runtime_goes_on_here()
    {
        var graphs = Graphs();
        using var plain = new OrtSessionRuntime(graphs, Settings);
        using var other = new OrtTrainingRuntime(graphs, NodeTrainingHost.Kind(Rates));
        void Step(ITrainingRuntime runtime)
        {
            runtime.Accumulate(Batch, weight: 0.25);
            runtime.Accumulate(Batch, weight: 0.75);
            runtime.Step(learningRateFactor: 1);
        }

        for (var i = 0; i < 3; i++) Step(plain);
        other.State = plain.State;
        for (var i = 0; i < 3; i++)
        {
            Step(plain);
            Step(other);
        }

        Assert.That(other.StepCount, Is.EqualTo(6));
        Same(plain.State, other.State, graphs);
    }

    [Test]
    public void Whole_run_gives_the_adapter_of_plain_onnx_runtime()
    {
        using var run = new TinyRun();
        var schedule = new LearningRateSchedule(new Schedule { Name = "cosine", WarmupSteps = 1 }, steps: 6);
        var kind = NodeTrainingHost.Kind([.. Enumerable.Range(1, 6).Select(step => 5e-3 * schedule.At(step))]);
        string[] slower = ["train.optimizer.lr=5e-3"];
        run.Train("plain", slower);

        var report = TinyRun.Train(run.Request("other", slower) with { Open = (graphs, _, dropout) => new OrtTrainingRuntime(graphs, kind, dropout) }, Progress.None);

        Assert.That(report.Steps, Is.EqualTo(6));
        var (plain, other) = (Adapter.Load(run["plain", "adapter"]), Adapter.Load(run["other", "adapter"]));
        Assert.That(other.Tensors.Keys, Is.EquivalentTo(plain.Tensors.Keys));
        foreach (var (name, tensor) in plain.Tensors)
        {
            var numbers = tensor.ToFloats();
            Assert.That(other.Tensors[name].ToFloats(), Is.EqualTo(numbers).Within(Tolerance * numbers.Max(Math.Abs)), name);
        }
    }

    [Test]
    public void Steps_that_move_nothing_are_noticed()
    {
        var kind = NodeTrainingHost.Kind(Rates);
        using var runtime = new OrtTrainingRuntime(Graphs(), kind with { Open = folder => new IdleHost(kind.Open(folder)) });
        runtime.Accumulate(Batch, weight: 1);

        Assert.That(() => runtime.Step(learningRateFactor: 1), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT576"));
    }

    [Test]
    public void Native_library_without_training_names_the_package() =>
        Assert.That(
            () => new OrtTrainingRuntime(Graphs(), TrainingSessionHost.Kind(Settings)),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT575").And.Property("Hint").Contains("Microsoft.ML.OnnxRuntime.Training"));

    private static TrainingOptions CausalLm => new() { Adapter = new() { Rank = 4 }, Task = "causal-lm", Optimizer = new() { LearningRate = Rate } };

    private static Batch Batch => SampleBatch.For("causal-lm", Vocabulary, Vocabulary, seed: 0);

    private static TrainingGraphs Graphs() => TrainingGraphs.Build(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), CausalLm);

    private static void Compare(OnnxModel model, int steps, TrainingOptions options, double tolerance = Tolerance)
    {
        var kind = NodeTrainingHost.Kind(Rates);
        using var engine = Settings.ToEngine();
        using var plain = new AdapterTrainer(engine, options, TrainingGraphs.Build(model, options));
        using var other = new AdapterTrainer(engine, options, TrainingGraphs.Build(model, options), (graphs, _, dropout) => new OrtTrainingRuntime(graphs, kind, dropout));

        var batch = SampleBatch.For(options.Task, Vocabulary, plain.Graphs.Evaluation.Classes ?? 2, seed: 0, plain.Graphs.Batches.Sizes);

        for (var step = 0; step < steps; step++)
        {
            var expected = plain.Step(batch).Loss;
            Assert.That(other.Step(batch).Loss, Is.EqualTo(expected).Within(1e-5 * expected), $"loss of step {step}");
        }

        Assert.That(other.Evaluate([batch]).Loss, Is.EqualTo(plain.Evaluate([batch]).Loss).Within(1e-3).Percent);
        Same(plain.State, other.State, plain.Graphs, tolerance);
    }

    private static void Same(TrainingState expected, TrainingState found, TrainingGraphs graphs, double tolerance = Tolerance)
    {
        foreach (var trained in graphs.Trained)
        {
            var numbers = expected.Tensors[trained.Name].ToFloats();
            Assert.That(numbers, Is.Not.EqualTo(trained.Initial.ToFloats()), $"{trained.Name} has not moved");
            Assert.That(found.Tensors[trained.Name].ToFloats(), Is.EqualTo(numbers).Within(tolerance * numbers.Max(Math.Abs)), trained.Name);
        }
    }

    // A host whose steps do not reach the parameters.
    private sealed class IdleHost(IOrtTrainingHost host) : IOrtTrainingHost
    {
        public IReadOnlyList<OnnxTensor> Train(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs) => host.Train(inputs);

        public IReadOnlyList<OnnxTensor> Evaluate(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs) => host.Evaluate(inputs);

        public void Step(float learningRate) => host.ResetGradients();

        public void ResetGradients() => host.ResetGradients();

        public OrtCheckpoint Save() => host.Save();

        public void Dispose() => host.Dispose();
    }
}
