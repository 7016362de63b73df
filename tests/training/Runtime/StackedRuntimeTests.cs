using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>Training stacks of tensors is training the tensors.</summary>
internal sealed class StackedRuntimeTests
{
    private static readonly OrtEngineOptions Settings = new() { Threads = 1 };

    [Test]
    public void Tensors_of_one_shape_are_one_input_one_gradient_and_one_step()
    {
        var graphs = Graphs("lora");
        var stacked = new StackedTensors(graphs).Graphs;

        var shapes = graphs.Trained.Select(tensor => tensor.Initial.ToString()).Distinct().Count();
        Assert.That(stacked.Trained, Has.Count.EqualTo(shapes).And.Count.LessThan(graphs.Trained.Count));
        Assert.That(stacked.Train.Graph.Outputs, Has.Count.EqualTo(1 + shapes));
        Assert.That(stacked.Optimizer.Graph.Nodes.Count(), Is.LessThan(graphs.Optimizer.Graph.Nodes.Count() / 2));
    }

    [Test]
    public void Factors_that_multiply_the_same_matrix_do_so_in_one_product()
    {
        var graphs = Graphs("lora");
        var layers = graphs.Plan.Sites.All.Count / 4;

        // x·A of q, k and v; xᵀ·g, and their part of the gradient of x where a layer is below: each one instead of three.
        Assert.That(Products(graphs.Train) - Products(new StackedTensors(graphs).Graphs.Train), Is.EqualTo((2 * 2 * layers) + (2 * (layers - 1))));

        static int Products(OnnxModel model) => model.Graph.Nodes.Count(node => node.OpType is "MatMul" or "FusedMatMul");
    }

    [TestCase("lora")]
    [TestCase("lorta")]
    [TestCase("dora")]
    public void Loss_and_gradients_are_the_same(string method)
    {
        var graphs = Graphs(method);
        using var plain = new OrtSessionRuntime(graphs, Settings);
        using var stacked = Stacked(graphs);

        Assert.That(stacked.Accumulate(Batch, weight: 1), Is.EqualTo(plain.Accumulate(Batch, weight: 1)).Within(1e-5).Percent);
        var found = stacked.Gradients;
        Assert.That(found.Keys, Is.EquivalentTo(plain.Gradients.Keys));
        foreach (var (name, gradient) in plain.Gradients)
        {
            var numbers = gradient.ToFloats();
            Assert.That(numbers.Max(Math.Abs), Is.GreaterThan(0), name);
            Assert.That(found[name].ToFloats(), Is.EqualTo(numbers).Within(1e-5 * numbers.Max(Math.Abs)), name);
        }
        Assert.That(stacked.Forward(Batch)["loss"].ToFloats(), Is.EqualTo(plain.Forward(Batch)["loss"].ToFloats()));
    }

    [Test]
    public void Steps_lead_to_the_same_tensors()
    {
        var graphs = Graphs("lora");
        using var plain = new OrtSessionRuntime(graphs, Settings);
        using var stacked = Stacked(graphs);

        for (var step = 0; step < 3; step++)
        {
            plain.Accumulate(Batch, weight: 1);
            stacked.Accumulate(Batch, weight: 1);
            Assert.That(stacked.Step(1), Is.EqualTo(plain.Step(1)).Within(1e-5).Percent);
        }

        var found = stacked.State.Tensors;
        Assert.That(found.Keys, Is.EquivalentTo(plain.State.Tensors.Keys));
        foreach (var (name, value) in plain.State.Tensors)
            Assert.That(found[name].ToFloats(), Is.EqualTo(value.ToFloats()).Within(1e-6), name);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Factor_with_a_learning_rate_of_its_own_moves_by_that(bool isStacked)
    {
        var graphs = Graphs("lora", adapter => adapter with { LoraPlus = 16, LrFactors = new Dictionary<string, double> { ["A"] = 0.5 } }, weightDecay: 0);
        using ITrainingRuntime runtime = isStacked ? Stacked(graphs) : new OrtSessionRuntime(graphs, Settings);
        var before = runtime.State.Tensors;

        runtime.Accumulate(Batch, weight: 1);
        runtime.Step(1);

        // the first step of Adam is one learning rate long in every number with a gradient
        foreach (var tensor in graphs.Trained)
        {
            var moved = runtime.State.Tensors[tensor.Name].ToFloats().Zip(before[tensor.Name].ToFloats(), (now, then) => Math.Abs(now - then)).Max();
            Assert.That(moved, Is.EqualTo(tensor.Name.EndsWith(".B", StringComparison.Ordinal) ? 0.16 : 0.005).Within(1).Percent, tensor.Name);
        }
    }

    [Test]
    public void State_goes_out_and_in_tensor_by_tensor()
    {
        var graphs = Graphs("lora");
        using var first = Stacked(graphs);
        first.Accumulate(Batch, weight: 1);
        first.Step(1);
        using var second = Stacked(graphs);

        second.State = first.State;

        Assert.That(second.State.Step, Is.EqualTo(1));
        foreach (var (name, value) in first.State.Tensors) Assert.That(second.State.Tensors[name].ToFloats(), Is.EqualTo(value.ToFloats()), name);
        Assert.That(second.Accumulate(Batch, weight: 1), Is.EqualTo(first.Accumulate(Batch, weight: 1)));
    }

    private static Batch Batch => SampleBatch.For("causal-lm", 32, 32, seed: 0);

    private static StackedRuntime Stacked(TrainingGraphs graphs) => new(graphs, Settings);

    private static TrainingGraphs Graphs(string method, Func<AdapterOptions, AdapterOptions>? change = null, double weightDecay = 0.1)
    {
        var model = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "qwen2").Path);
        var options = new TrainingOptions
        {
            Adapter = (change ?? (adapter => adapter))(new AdapterOptions { Method = method, Rank = 2, Alpha = 4, Targets = ["q", "k", "v", "p"] }),
            Task = "causal-lm",
            Optimizer = new OptimizerOptions { LearningRate = 1e-2, WeightDecay = weightDecay },
        };
        return TrainingGraphs.Build(model, options with { Values = CentralDifferenceCheck.FactorsOf(TrainingGraphs.Build(model, options).Plan, seed: 0) });
    }
}
