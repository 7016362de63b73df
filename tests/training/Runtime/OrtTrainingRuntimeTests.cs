using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Schedules;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>ONNX Runtime Training against plain ONNX Runtime: the same trainer, the same numbers.</summary>
internal sealed class OrtTrainingRuntimeTests
{
    private const int Steps = 20;
    private const int Vocabulary = 30;   // what each of the models has
    private const double Rate = 1e-3;
    private const double Tolerance = 1e-4;   // of the largest number

    // AdamW's first step is η·g / (|g| + ε). LoRTA's gradients are sums over all layers; of families with factors in each layer, some are so
    // near zero that with an ε of 1e-8 their rounding decides the step: lora differs by 2.5e-4 then, and by less than 1e-4 with this one.
    private const double AboveRounding = 1e-5;

    private static readonly OrtEngineOptions Settings = new() { Threads = 1 };
    private static readonly double[] Rates = [.. Enumerable.Repeat(Rate, Steps)];

    private static IEnumerable<string> OfTheMinis => Exports.All.Where(
        export => !export.StartsWith("smollm2/", StringComparison.Ordinal) && !export.Contains("/extra/", StringComparison.Ordinal));

    [TestCaseSource(nameof(OfTheMinis)), Category("Slow")]
    public void Every_export_trains_as_in_plain_onnx_runtime(string export) =>
        Compare(OnnxModel.Load(Exports.Path(export)), Steps, new() { Adapter = new() { Rank = 4 }, Task = Exports.TaskOf(export), Optimizer = new() { LearningRate = Rate } });

    [Test, Category("Slow")]
    public void Families_trained_heads_and_clipping_are_those_of_plain_onnx_runtime(
        [Values("llama-mini/ts-sdpa", "llama-mini/genai-int4", "roberta-mini/seqcls.ort-fused", "esm-mini/tokencls.ts-sdpa")] string export,
        [Values("lora", "dora", "vera")] string method) =>
        Compare(OnnxModel.Load(Exports.Path(export)), Steps, new()
        {
            Adapter = new() { Method = method, Rank = 4, LoraPlus = method == "lora" ? 3 : null },
            Task = Exports.TaskOf(export),
            // a faster head learns the batch by heart, and the relative error of a loss near zero says nothing
            Trainables = export.StartsWith("llama", StringComparison.Ordinal) ? [] : [new() { Match = "classifier.*", LearningRate = Rate / 5 }],
            Optimizer = new() { LearningRate = Rate, Clip = 0.01, Epsilon = AboveRounding },
        });

    [Test]
    public void Gradient_descent_is_that_of_plain_onnx_runtime() => Compare(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")), steps: 5, new()
    {
        Adapter = new() { Method = "lora", Rank = 4, LoraPlus = 3 },
        Task = "classification",
        Trainables = [new TrainablePattern { Match = "classifier.*", LearningRate = 0.2 }],
        Optimizer = new() { Name = "sgd", LearningRate = 0.1, Clip = 0.5 },
    });

    // In 30 layers rounding grows so much that steps of AdamW, which are as large where the gradient is near zero, differ by 3e-3. Those of
    // gradient descent are in proportion to the gradient.
    [Test, Category("Slow")]
    public void Table_of_4_bits_trains()
    {
        var model = OnnxModel.Load(Exports.Path("smollm2/model"));
        var options = CausalLm with { Optimizer = new() { Name = "sgd", LearningRate = 0.1 } };
        var inTheMidstOfARun = CentralDifferenceCheck.FactorsOf(TrainingGraphs.Build(model, options).Plan, seed: 1);

        Compare(model, steps: 3, options with { Values = inTheMidstOfARun });
    }

    [Test]
    public void Weights_of_8_bits_train()
    {
        using var folder = new TestFolder();
        var model = FewBits.Saved(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), FewBitsForm.Blocks8, folder["model.onnx"]);

        Compare(model, steps: 3, CausalLm);
    }

    [TestCase("adamw")]
    [TestCase("sgd")]
    public void State_of_plain_onnx_runtime_goes_on_here(string optimizer)
    {
        var graphs = Graphs(optimizer);
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
        string[] slower = ["train.optimizer.lr=5e-3"];
        run.Train("plain", slower);

        var report = TinyRun.Train(Here(run.Request("other", slower)), Progress.None);

        Assert.That(report.Steps, Is.EqualTo(6));
        SameAdapters(run["plain", "adapter"], run["other", "adapter"]);
    }

    [Test]
    public void Run_that_changes_the_runtime_twice_gives_the_adapter_of_plain_onnx_runtime()
    {
        using var run = new TinyRun();
        string[] slower = ["train.optimizer.lr=5e-3"];
        run.Train("plain", slower);
        var (plain, here) = (run.Request("run", slower), Here(run.Request("run", slower)));

        foreach (var (request, last) in new[] { (plain, 2), (here with { Resume = true }, 4), (plain with { Resume = true }, 6) })
        {
            using var stop = Progress.StopAfter(last);
            TinyRun.Train(request, stop);
            Assert.That(stop.Steps.Select(step => step.Step), Is.EqualTo(new[] { last - 1, last }));
        }

        SameAdapters(run["plain", "adapter"], run["run", "adapter"]);
    }

    [Test]
    public void Artifacts_of_a_recipe_make_its_run_in_a_host_that_sets_no_learning_rate()
    {
        using var run = new TinyRun();
        string[] settings = ["train.optimizer.lr=5e-3", "adapter.dropout=0", "train.keepBest=null"];
        run.Train("plain", settings);
        var recipe = run.Request("plain", settings).Recipe;
        var model = OnnxModel.Load(recipe.Model);

        var (graphs, schedule) = RecipeGraphs.Of(recipe, model);
        var inputs = OrtTrainingArtifacts.Write(graphs, run["artifacts"], embedWeights: true, schedule).Training.Graph.Inputs.TakeWhile(input => input.Name != graphs.Trained[0].Input).ToList();
        using (var host = NodeTrainingHost.Kind().Open(run["artifacts"]))
        {
            foreach (var group in RecipeData.Of(recipe, model).Train.Chunk(schedule.GradientAccumulation).Take(schedule.LearningRates.Count))
            {
                foreach (var batch in group) host.Train([.. inputs.Select(input => KeyValuePair.Create(input.Name, batch.Inputs[input.Name]))]);
                host.Step(learningRate: 0);
            }
            host.Save().Save(run["trained"]);
        }

        OrtTrainingArtifacts.AdapterOf(run["trained"], run["artifacts"]).Adapter.Save(run["adapter"]);
        SameAdapters(run["plain", "adapter"], run["adapter"]);
    }

    [Test]
    public void State_without_moments_is_refused_and_what_was_opened_goes_on()
    {
        using var runtime = new OrtTrainingRuntime(Graphs(), NodeTrainingHost.Kind(Rates));
        void Step()
        {
            runtime.Accumulate(Batch, weight: 1);
            runtime.Step(learningRateFactor: 1);
        }
        Step();
        var withoutMoments = runtime.State;

        Assert.That(() => runtime.State = withoutMoments, Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT582"));
        Step();
        Assert.That(runtime.StepCount, Is.EqualTo(2));
    }

    [Test]
    public void Steps_whose_rate_is_lost_in_rounding_are_no_failure()
    {
        var options = CausalLm with { Optimizer = new() { LearningRate = 1e-30 } };
        var graphs = TrainingGraphs.Build(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), options with { Adapter = new() { Method = "ia3" } });
        using var runtime = new OrtTrainingRuntime(graphs, NodeTrainingHost.Kind(1e-30));
        runtime.Accumulate(Batch, weight: 1);

        Assert.That(() => runtime.Step(learningRateFactor: 1), Throws.Nothing);
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

    private static TrainingGraphs Graphs(string optimizer = "adamw") => TrainingGraphs.Build(
        OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), CausalLm with { Optimizer = new() { Name = optimizer, LearningRate = Rate } });

    // A run of six steps with its schedule, in ONNX Runtime Training.
    private static RunRequest Here(RunRequest request)
    {
        var train = request.Recipe.Train;
        var schedule = new LearningRateSchedule(train.Schedule, steps: 6);
        double[] rates = [.. Enumerable.Range(1, 6).Select(step => train.Optimizer.LearningRate * schedule.At(step))];
        var kind = NodeTrainingHost.Kind(train.Optimizer with { Clip = train.Clip }, rates);
        return request with { Open = (graphs, _, dropout) => new OrtTrainingRuntime(graphs, kind, dropout) };
    }

    private static void SameAdapters(string expected, string found)
    {
        var (plain, other) = (Adapter.Load(expected), Adapter.Load(found));
        Assert.That(other.Tensors.Keys, Is.EquivalentTo(plain.Tensors.Keys));
        foreach (var (name, tensor) in plain.Tensors)
        {
            var numbers = tensor.ToFloats();
            Assert.That(other.Tensors[name].ToFloats(), Is.EqualTo(numbers).Within(Tolerance * numbers.Max(Math.Abs)), name);
        }
    }

    private static void Compare(OnnxModel model, int steps, TrainingOptions options)
    {
        var kind = NodeTrainingHost.Kind([.. Enumerable.Repeat(options.Optimizer.LearningRate, steps)]);
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
        Same(plain.State, other.State, plain.Graphs);
    }

    private static void Same(TrainingState expected, TrainingState found, TrainingGraphs graphs)
    {
        foreach (var trained in graphs.Trained)
        {
            var numbers = expected.Tensors[trained.Name].ToFloats();
            var moved = numbers.Zip(trained.Initial.ToFloats(), (now, first) => Math.Abs(now - first)).Max();
            Assert.That(moved, Is.Positive, $"{trained.Name} has not moved");
            var tolerance = Math.Min(Tolerance * numbers.Max(Math.Abs), moved / 100);
            Assert.That(found.Tensors[trained.Name].ToFloats(), Is.EqualTo(numbers).Within(tolerance), trained.Name);
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
