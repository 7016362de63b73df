using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts;

/// <summary>The outputs of training and evaluation graphs.</summary>
internal sealed class TrainingGraphBuilderTests
{
    [Test]
    public void Evaluation_gives_the_output_that_the_loss_is_made_of_whatever_comes_first()
    {
        var model = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var scores = model.Graph.Outputs.Single();
        model.Graph.Rename(scores, "scores");
        model.Graph.ClearOutputs();
        model.Graph.AddOutput(model.Graph.Nodes.Last(node => node.Op == "LayerNormalization" || node.Op == "Add").Output);
        model.Graph.AddOutput(scores);

        var graphs = Build(model, "classification");

        Assert.That(graphs.Logits, Is.EqualTo("scores"));
        Assert.That(Outputs(graphs), Is.EqualTo(new[] { "loss", "scores" }));
    }

    [Test]
    public void Loss_that_the_model_computes_is_the_only_output()
    {
        var model = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var (loss, _) = LortaCatalog.Default.LossOf("classification").Write(new Tape(model.Graph, onnxOnly: true));
        model.Graph.Rename(loss.Value, "loss");
        model.Graph.AddOutput(loss.Value);

        var graphs = Build(model, "loss");

        Assert.That(graphs.Logits, Is.Null);
        Assert.That(Outputs(graphs), Is.EqualTo(new[] { "loss" }));
    }

    // Attention and MLP join the stream in one sum, so the biases behind both have one gradient, in each layer.
    [Test]
    public void Nodes_have_different_names_where_tensors_have_the_same_gradient()
    {
        var model = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "falcon").Path);

        var graphs = TrainingGraphs.Build(model, new TrainingOptions { Adapter = new AdapterOptions { Method = "loretta_adp" }, Task = "causal-lm" });

        Assert.That(graphs.Train.Graph.Nodes.Select(node => node.Name).Where(name => name.Length > 0), Is.Unique);
        Assert.That(graphs.Train.Graph.Nodes.Count(node => node.Op == "Identity"), Is.EqualTo(graphs.Plan.Sites.Layers.Count));
    }

    [TestCase("llama-mini/genai-int4", "causal-lm")]
    [TestCase("roberta-mini/seqcls.ort-fused", "classification")]
    public void Training_and_evaluation_graphs_state_the_shape_of_every_value_so_that_the_runtime_need_not_infer_it(string export, string task)
    {
        var graphs = Build(OnnxModel.Load(Exports.Path(export)), task);

        Assert.Multiple(() =>
        {
            Assert.That(Unstated(graphs.Train), Is.Empty);
            Assert.That(Unstated(graphs.Eval), Is.Empty);
        });
    }

    [Test]
    public void What_depends_on_sizes_alone_is_computed_once_for_all_layers()
    {
        var graphs = Build(OnnxModel.Load(Exports.Path("llama-mini/genai-int4")), "causal-lm");

        Assert.That(graphs.Train.Graph.Nodes.Count(node => node.Op == "Softmax"), Is.EqualTo(4), "layers");
        Assert.That(graphs.Train.Graph.Nodes.Count(node => node.Op == "Range"), Is.EqualTo(1), "positions");
        Assert.That(graphs.Train.Graph.Nodes.Count(node => node.Op == "And"), Is.EqualTo(1), "causal mask and padding");
    }

    private static IEnumerable<string> Unstated(OnnxModel model) =>
        from node in ModelReader.Read(ModelWriter.ToBytes(model)).Graph.Nodes
        from output in node.Outputs
        where output is { Shape: null } or { Declaration.IsEmpty: true }
        select output.Name;

    private static TrainingGraphs Build(OnnxModel model, string task) =>
        TrainingGraphs.Build(model, new TrainingOptions { Adapter = new AdapterOptions { Rank = 2, Targets = ["q"] }, Task = task });

    private static IEnumerable<string> Outputs(TrainingGraphs graphs) => graphs.Eval.Graph.Outputs.Select(output => output.Name);
}
