using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Tests.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Parameters;

/// <summary>Parameters of the model that train along: names and shapes are PyTorch's, whatever the exporter did.</summary>
internal sealed class ModelParametersTests
{
    private static readonly Dictionary<string, OnnxTensor> None = [];

    [TestCase("roberta-mini/seqcls.ts-eager")]
    [TestCase("roberta-mini/seqcls.optimum")]
    [TestCase("roberta-mini/seqcls.dynamo18")]
    public void Weights_of_a_linear_layer_are_out_by_in(string export)
    {
        var (model, trained) = Trained(export, "classifier.out_proj.weight");

        var parameter = trained.Single(tensor => tensor.Name == "param.classifier.out_proj.weight");

        Assert.That(parameter.Initial.Dims, Is.EqualTo(new long[] { 2, 128 }));
        Assert.That(model.Canonical.Model.Graph.Find("param.classifier.out_proj.weight"), Has.Property("IsInput").True);
    }

    [Test]
    public void Transposed_exports_give_the_same_numbers() =>
        Assert.That(Value("llama-mini/ts-sdpa"), Is.EqualTo(Value("llama-mini/dynamo18")));

    [Test]
    public void Star_takes_every_parameter_that_fits()
    {
        var (_, trained) = Trained("roberta-mini/seqcls.ts-eager", "classifier.*");

        Assert.That(trained.Select(tensor => tensor.Name).Where(name => name.StartsWith("param.", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            "param.classifier.dense.bias", "param.classifier.dense.weight", "param.classifier.out_proj.bias", "param.classifier.out_proj.weight",
        }));
    }

    [Test]
    public void First_pattern_that_fits_decides_the_group()
    {
        var special = new ParameterGroup(LearningRate: 0.5);
        var adapted = AdaptedModel.Of(UnderstoodModel.Of(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"))), Options, LortaCatalog.Default, new([new TrainablePattern { Match = "classifier.dense.*", LearningRate = special.LearningRate }, new TrainablePattern { Match = "classifier.*" }]));

        var groups = adapted.Trained(None, 0).ToDictionary(tensor => tensor.Name, tensor => tensor.Group);

        Assert.That(groups["param.classifier.dense.weight"], Is.EqualTo(special));
        Assert.That(groups["param.classifier.out_proj.weight"], Is.EqualTo(ParameterGroup.Default));
    }

    [Test]
    public void Omitted_bias_is_inserted_as_zeros_by_its_exact_name()
    {
        var (_, trained) = Trained("llama-mini/dynamo18", "model.layers.0.self_attn.q_proj.bias");

        var bias = trained.Single(tensor => tensor.Name.StartsWith("param.", StringComparison.Ordinal));

        Assert.That(bias.Initial.Dims, Is.EqualTo(new long[] { 128 }));
        Assert.That(bias.Initial.ToFloats(), Is.All.Zero);
    }

    [Test]
    public void Star_inserts_no_bias()
    {
        var failure = Assert.Throws<LortaException>(() => Trained("llama-mini/ts-sdpa", "model.layers.0.self_attn.*.bias"))!;

        Assert.That(failure.Code, Is.EqualTo("LRT307"));
    }

    [Test]
    public void Pattern_that_fits_nothing_is_refused_with_close_names()
    {
        var failure = Assert.Throws<LortaException>(() => Trained("roberta-mini/seqcls.ts-eager", "classifier.densse.*"))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT307", true)));
        Assert.That(failure.Hint, Does.Contain("classifier."));
    }

    [TestCase("roberta-mini/seqcls.ts-eager", "classifier.*")]
    [TestCase("roberta-mini/seqcls.dynamo18", "classifier.out_proj.bias")]
    [TestCase("roberta-mini/seqcls.ts-eager", "*LayerNorm*")]
    [TestCase("llama-mini/ts-sdpa", "model.embed_tokens.weight")]
    [TestCase("roberta-mini/seqcls.mha-fused", "*.bias")]
    [TestCase("roberta-mini/seqcls.mha-fused", "*.key.bias")]
    [TestCase("roberta-mini/seqcls.ort-fused", "*.value.*")]
    [TestCase("roberta-mini/seqcls.ort-fused", "*")]
    [TestCase("roberta-mini/mlm.ts-sdpa", "*")]
    [TestCase("esm-mini/mlm.dynamo18", "*")]
    [TestCase("llama-mini/genai", "*")]
    public void Values_of_the_file_compute_what_the_file_computes(string export, string pattern)
    {
        var (adapted, trained) = Trained(export, pattern);
        var deployed = OnnxModel.Load(Exports.Path(export));
        var batch = Exports.Batch(export, deployed);
        var graph = adapted.Canonical.Model.Graph;
        graph.RemoveUnusedInputs();

        var outputs = ((IGraphEvaluator)FamilyCase.Evaluator).Run(adapted.Canonical.Model, batch.Concat(trained.Select(tensor => KeyValuePair.Create(tensor.Input.ToString(), tensor.Initial))).ToDictionary());

        var expected = Ort.Run(deployed, batch)["logits"].ToFloats();
        Assert.That(outputs["logits"].ToFloats(), Is.EqualTo(expected).Within(2e-5 * expected.Max(Math.Abs)));
    }

    [Test]
    public void Parts_of_a_packed_weight_are_joined_once()
    {
        var (adapted, _) = Trained("llama-mini/genai", "model.layers.0.self_attn.*_proj.weight");

        var joins = adapted.Canonical.Model.Graph.Nodes.Where(node => node.Op == "Concat" && node.Inputs.Any(input => input!.Name.Contains("self_attn.q_proj", StringComparison.Ordinal) || input.Producer?.Input(0)?.Name.Contains("self_attn.q_proj", StringComparison.Ordinal) == true)).ToList();

        Assert.That(joins, Has.Count.EqualTo(1));
        Assert.That(joins[0].Inputs, Has.Count.EqualTo(3));
    }

    [Test]
    public void Weights_that_are_tied_are_one_parameter()
    {
        var (_, trained) = Trained("roberta-mini/mlm.ts-sdpa", "*.weight");

        Assert.That(trained.Select(tensor => tensor.Name), Does.Contain("param.roberta.embeddings.word_embeddings.weight").And.Not.Contain("param.lm_head.decoder.weight"));
    }

    private static AdapterOptions Options { get; } = new() { Rank = 2, Targets = ["q"] };

    private static float[] Value(string export) => Trained(export, "model.layers.0.mlp.gate_proj.weight").Trained[^1].Initial.ToFloats();

    private static (AdaptedModel Model, IReadOnlyList<TrainedTensor> Trained) Trained(string export, string pattern)
    {
        var adapted = AdaptedModel.Of(UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export))), Options, LortaCatalog.Default, new([new TrainablePattern { Match = pattern }]));
        return (adapted, adapted.Trained(None, 0));
    }
}
