using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Artifacts.Portable;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts.OrtTraining;

/// <summary>Training graphs in the form of ONNX Runtime Training.</summary>
internal sealed class OrtTrainingGraphsTests
{
    [Test]
    public void One_order_of_trained_tensors_makes_inputs_buffers_and_checkpoint()
    {
        var graphs = Llama(new() { Rank = 2, Targets = ["q"], Method = "lora" });

        var written = OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign());

        var parameters = graphs.Trained.Select(tensor => tensor.Input.ToString()).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(Names(written.Train.Graph.Inputs), Is.EqualTo((string[])["input_ids", "attention_mask", "position_ids", "labels", .. parameters, .. parameters.Select(name => $"{name}_grad.accumulation.buffer"), "lazy_reset_grad"]));
            Assert.That(Names(written.Eval.Graph.Inputs), Is.EqualTo((string[])["input_ids", "attention_mask", "position_ids", "labels", .. parameters]));
            Assert.That(Names(written.Optimizer.Graph.Inputs), Is.EqualTo(new[] { "learning_rate", "step", "params", "gradients", "first_order_moments", "second_order_moments" }));
            Assert.That(written.Checkpoint.Trained.Select(parameter => parameter.Name), Is.EqualTo(parameters));
            Assert.That(written.Checkpoint.Frozen, Is.Empty);
        });
    }

    [Test]
    public void Both_graphs_give_loss_and_scores_and_of_tokens_the_likeliest()
    {
        var causal = OrtTrainingGraphs.Of(Llama(new() { Rank = 2 }), OrtTrainingForm.Foreign());
        var classes = OrtTrainingGraphs.Of(Build("roberta-mini/seqcls.ts-eager", "classification", new() { Rank = 2 }), OrtTrainingForm.Foreign());

        Assert.Multiple(() =>
        {
            foreach (var written in new[] { causal, classes })
                Assert.That(Names(written.Train.Graph.Outputs).Where(name => !name.EndsWith(".out", StringComparison.Ordinal)), Is.EqualTo(Names(written.Eval.Graph.Outputs)));
            Assert.That(causal.Eval.Graph.Outputs[1], Has.Property("Type").EqualTo(ElementType.Int64).And.Property("Rank").EqualTo(2));
            Assert.That(classes.Eval.Graph.Outputs[1].Name, Is.EqualTo("logits"));
        });
    }

    [Test]
    public void Scale_frozen_factors_and_the_weight_of_the_loss_are_constants()
    {
        var graphs = Llama(new() { Rank = 2, Method = "vera", Targets = ["q", "v"] });

        var written = OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign());

        string[] constants = ["scale", "loss_weight", .. graphs.Frozen.Keys];
        Assert.That(graphs.Frozen, Is.Not.Empty);
        Assert.That(constants.Where(name => written.Train.Graph.Find(name) is not { IsConstant: true }), Is.Empty);
    }

    [Test]
    public void Weight_of_the_loss_is_the_last_input_of_a_batch_where_the_host_feeds_it()
    {
        var written = OrtTrainingGraphs.Of(Llama(new() { Rank = 2 }), OrtTrainingForm.Foreign() with { FeedsWeights = true });

        Assert.That(Names(written.Train.Graph.Inputs).TakeWhile(name => !name.StartsWith("factor.", StringComparison.Ordinal)), Is.EqualTo(new[] { "input_ids", "attention_mask", "position_ids", "labels", "loss_weight" }));
    }

    [Test]
    public void Empty_past_is_no_input()
    {
        var graphs = Build("llama-mini/optimum-past", "causal-lm", new() { Rank = 2 });
        Assert.That(Names(graphs.Train.Graph.Inputs), Has.Some.StartsWith("past"));

        var written = OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign());

        Assert.That(Names(written.Train.Graph.Inputs).Concat(Names(written.Eval.Graph.Inputs)), Has.None.StartsWith("past"));
    }

    [Test]
    public void Learning_rate_of_a_group_is_held_in_the_tensor()
    {
        var graphs = Llama(new() { Rank = 2, Method = "lora", LoraPlus = 4 });
        var b = graphs.Trained.First(tensor => tensor.Name.EndsWith(".B", StringComparison.Ordinal));
        var value = RandomTensor.Normal("b", [.. b.Initial.Dims]);

        var held = OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign()).Trained.First(tensor => tensor.Source == b);

        Assert.That(held.ToHost(value).ToFloats(), Is.EqualTo(value.ToFloats().Select(number => number / 4)));
        Assert.That(held.FromHost(held.ToHost(value)).ToFloats(), Is.EqualTo(value.ToFloats()));
    }

    [Test]
    public void Decay_is_one_for_all_where_learning_rate_times_decay_is_the_same()
    {
        OptimizerOptions decayed = new() { LearningRate = 1e-3, WeightDecay = 0.1 };
        TrainablePattern[] head = [new() { Match = "classifier.*", LearningRate = 2e-3, WeightDecay = 0.05 }];
        TrainablePattern[] other = [new() { Match = "classifier.*", LearningRate = 2e-3 }];

        var written = OrtTrainingGraphs.Of(Classes(head, decayed), OrtTrainingForm.Foreign());
        var refused = Assert.Throws<LortaException>(() => OrtTrainingGraphs.Of(Classes(other, decayed), OrtTrainingForm.Foreign()))!;

        Assert.That(written.Optimizer.Graph.Nodes.Single(node => node.OpType == "AdamWOptimizer").Float("weight_decay", 0), Is.EqualTo(0.1f));
        Assert.That(refused.Code, Is.EqualTo("LRT573"));
        Assert.That(refused.Message, Does.Contain("'param.classifier."));
    }

    [Test]
    public void Gradient_descent_has_no_decay_there()
    {
        OptimizerOptions plain = new() { Name = "sgd", LearningRate = 0.1 };

        var written = OrtTrainingGraphs.Of(Llama(new() { Rank = 2 }, plain), OrtTrainingForm.Foreign());

        Assert.That(Names(written.Optimizer.Graph.Inputs), Is.EqualTo(new[] { "learning_rate", "step", "params", "gradients", "first_order_moments" }));
        Assert.That(
            () => OrtTrainingGraphs.Of(Llama(new() { Rank = 2 }, plain with { WeightDecay = 0.1 }), OrtTrainingForm.Foreign()),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT581"));
    }

    [Test]
    public void Dropout_is_refused_for_hosts_that_make_no_masks()
    {
        var graphs = Llama(new() { Rank = 2, Dropout = 0.1 });

        Assert.That(() => OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign()), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT571"));
        Assert.That(Names(OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign() with { MakesMasks = true }).Train.Graph.Inputs), Has.Some.StartsWith("dropout."));
    }

    [Test]
    public void Family_that_changes_its_factors_after_each_step_is_refused_by_name()
    {
        var graphs = Llama(new() { Rank = 4, Method = "adalora", Options = new Dictionary<string, string> { ["target"] = "2" } });

        var refused = Assert.Throws<LortaException>(() => OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign()))!;

        Assert.That((refused.Code, refused.Message.Split(' ')[0]), Is.EqualTo(("LRT572", "adalora")));
        using var folder = new TestFolder();
        Assert.That(() => PortableArtifacts.Write(graphs, folder["artifacts"], embedWeights: false), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT572"));
    }

    [TestCase("mask_grad")]
    [TestCase("mask_grad.accumulation.out")]
    [TestCase("lazy_reset_grad")]
    public void Input_that_the_runtime_would_take_for_its_own_is_refused_by_name(string name)
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        model.Graph.Rename(model.Graph.Find("attention_mask")!, name);
        var graphs = TrainingGraphs.Build(model, new TrainingOptions { Adapter = new() { Rank = 2 }, Task = "causal-lm" });

        var refused = Assert.Throws<LortaException>(() => OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign()))!;

        Assert.That((refused.Code, refused.Message.Contains($"input '{name}'", StringComparison.Ordinal)), Is.EqualTo(("LRT570", true)));
    }

    [Test]
    public void Folder_holds_graphs_checkpoint_and_the_adapter_that_it_is_of()
    {
        using var folder = new TestFolder();
        var graphs = Llama(new() { Rank = 2, Targets = ["q"] });

        var files = OrtTrainingArtifacts.Write(graphs, folder["artifacts"], embedWeights: false).Files;

        Assert.That(files, Is.EqualTo(new[]
        {
            "checkpoint", "eval_model.onnx", "initial/README.md", "initial/adapter_config.json", "initial/adapter_model.safetensors", "optimizer_model.onnx", "training_model.onnx", "weights.data",
        }));
        var adapter = Adapter.Load(folder["artifacts", "initial"]);
        foreach (var (name, value) in OrtCheckpoint.Load(folder["artifacts", "checkpoint"]).Trained)
            Assert.That(adapter.Tensors[TensorName.Parse(name).Name].Bytes.SequenceEqual(value.Bytes), name);
        Assert.That(adapter.Config.Task, Is.EqualTo("causal-lm"));
        OrtTrainingArtifacts.Write(graphs, folder["artifacts"], embedWeights: true);   // replaces what such a command wrote
        Assert.That(folder.Entries, Does.Not.Contain("artifacts/weights.data"));
    }

    private static TrainingGraphs Classes(TrainablePattern[] trainables, OptimizerOptions optimizer) => TrainingGraphs.Build(
        OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")),
        new TrainingOptions { Adapter = new() { Rank = 2 }, Task = "classification", Trainables = trainables, Optimizer = optimizer });

    private static TrainingGraphs Llama(AdapterOptions adapter, OptimizerOptions? optimizer = null) => Build("llama-mini/ts-sdpa", "causal-lm", adapter, optimizer);

    private static TrainingGraphs Build(string export, string task, AdapterOptions adapter, OptimizerOptions? optimizer = null) =>
        TrainingGraphs.Build(OnnxModel.Load(Exports.Path(export)), new TrainingOptions { Adapter = adapter, Task = task, Optimizer = optimizer ?? new() });

    private static IEnumerable<string> Names(IEnumerable<Value> values) => values.Select(value => value.Name);
}
