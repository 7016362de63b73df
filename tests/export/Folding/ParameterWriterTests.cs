using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Weights;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>The model's own parameters that were trained alongside the adapter go back into the file.</summary>
internal sealed class ParameterWriterTests
{
    private static readonly Dictionary<string, OnnxTensor> None = [];

    [TestCase("roberta-mini/seqcls.ts-eager", "classifier.*")]
    [TestCase("roberta-mini/seqcls.optimum", "classifier.*")]
    [TestCase("roberta-mini/seqcls.dynamo18", "classifier.out_proj.bias")]
    [TestCase("roberta-mini/seqcls.ts-eager", "*LayerNorm*")]
    [TestCase("roberta-mini/mlm.ts-sdpa", "roberta.embeddings.word_embeddings.weight")]
    [TestCase("llama-mini/ts-sdpa", "model.layers.1.self_attn.q_proj.bias")]
    [TestCase("llama-mini/dynamo18", "model.layers.1.mlp.gate_proj.weight")]
    [TestCase("minilm/ts-sdpa", "classifier.*")]
    public void Changed_parameters_fold_to_what_the_adapted_model_computes(string export, string pattern)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var adapter = Changed(deployed, pattern);
        using var folder = new TestFolder();

        RandomAdapter.Evaluator.Fold(deployed, adapter, new ExportOptions { Widen = true }).Save(folder["folded.onnx"]);

        var (verifier, folded, options) = (RandomAdapter.Evaluator, OnnxModel.Load(folder["folded.onnx"]), new VerifyOptions { Length = 12 });
        Assert.That(verifier.Compare(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, folded, options).MaxRelDiff, Is.LessThanOrEqualTo(export.StartsWith("minilm", StringComparison.Ordinal) ? 5e-3 : 1e-5));
        Assert.That(verifier.Compare(WithoutParameters(deployed, adapter), folded, options).MaxRelDiff, Is.GreaterThan(1e-3), "the parameters must change something");
    }

    [Test]
    public void A_parameter_that_shares_its_tensor_with_equal_ones_changes_alone()   // all biases of norms are one tensor of zeros
    {
        var deployed = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "bert").Path);
        var adapter = Changed(deployed, "layers.1.norm1.bias");
        using var folder = new TestFolder();

        RandomAdapter.Evaluator.Fold(deployed, adapter).Save(folder["folded.onnx"]);

        var folded = OnnxModel.Load(folder["folded.onnx"]);
        foreach (var name in ParameterNames.Of(folded).Where(name => name.Name.EndsWith("norm1.bias", StringComparison.Ordinal) || name.Name.EndsWith("norm2.bias", StringComparison.Ordinal)))
            Assert.That(ModelParameters.ReadParameter(folded, name).ToFloats(), name.Name == "layers.1.norm1.bias" ? Has.Some.Not.Zero : Is.All.Zero, name.Name);
        Assert.That(RandomAdapter.Evaluator.Compare(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, folded, new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    [Test]
    public void A_parameter_is_not_lost_where_the_file_does_not_tell_whose_a_shared_tensor_is()
    {
        var deployed = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "bert").Path);
        var adapter = Changed(deployed, "layers.1.norm1.bias");
        foreach (var node in deployed.Graph.Nodes) node.Name = string.Empty;

        Assert.That(() => RandomAdapter.Evaluator.Fold(deployed, adapter), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT708"));
    }

    [Test]
    public void Parameter_that_the_model_lacks_is_named()
    {
        var deployed = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var adapter = RandomAdapter.For(deployed);
        var tensors = adapter.Tensors.Append(KeyValuePair.Create("param.no.such.weight", OnnxTensor.Of<float>([1], new float[1]))).ToDictionary();

        var failure = Assert.Throws<LortaException>(() => RandomAdapter.Evaluator.Fold(deployed, adapter with { Tensors = tensors }))!;

        Assert.That(failure.Message, Does.Contain("no.such.weight"));
    }

    [TestCase("param.classifier.out_proj.bias", new long[] { 1 }, ExpectedResult = "LRT308")]
    [TestCase("param.classifier.out_proj.weight", new long[] { 1, 128 }, ExpectedResult = "LRT308")]
    [TestCase("param.no.such.bias", new long[] { 1 }, ExpectedResult = "LRT307")]
    public string Parameter_that_does_not_fit_the_model_is_refused(string name, long[] dims)
    {
        var deployed = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var adapter = RandomAdapter.For(deployed);
        var tensors = adapter.Tensors.Append(KeyValuePair.Create(name, OnnxTensor.Of<float>(dims, new float[dims.Aggregate((a, b) => a * b)]))).ToDictionary();

        return Assert.Throws<LortaException>(() => RandomAdapter.Evaluator.Fold(deployed, adapter with { Tensors = tensors }))!.Code;
    }

    [Test]
    public void Dropped_bias_of_a_widened_weight_is_written_behind_its_product()
    {
        const string Name = "model.layers.1.self_attn.q_proj";
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        Narrow(deployed, ParameterNames.Of(deployed).Single(name => name.Name == $"{Name}.weight").Initializer);
        var adapter = RandomAdapter.For(deployed);
        var tensors = adapter.Tensors.Append(KeyValuePair.Create($"param.{Name}.bias", OnnxTensor.Of<float>([128], Enumerable.Repeat(1f, 128).ToArray()))).ToDictionary();

        var folded = RandomAdapter.Evaluator.Fold(deployed, adapter with { Tensors = tensors }, new ExportOptions { Widen = true }).Model;

        Assert.That(folded.Graph.Find($"{Name}.bias")?.Uses.Single().Node.Inputs[0]!.Producer!.OpType, Is.EqualTo("MatMul"));
    }

    // Stores a weight as float16 behind a Cast.
    private static void Narrow(OnnxModel model, string weight)
    {
        var stored = model.Graph.Find(weight)!;
        var half = OnnxTensor.FromBytes(ElementType.Float16, [.. stored.Constant!.Dims], WeightView.Round(stored.Constant.ToFloats(), ElementType.Float16));
        var cast = new Tape(model.Graph, onnxOnly: true)[model.Graph.AddConstant("narrow", half)].Cast(ElementType.Float);
        model.Graph.ReplaceUses(stored, cast.Value);
        model.Graph.RemoveUnused();
        model.Graph.Rename(model.Graph.Find("narrow")!, weight);
        model.Graph.Sort();
    }

    private static OnnxModel WithoutParameters(OnnxModel deployed, Adapter adapter) =>
        AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter with { Tensors = adapter.Tensors.Where(pair => !pair.Key.StartsWith("param.", StringComparison.Ordinal)).ToDictionary() }, allowOtherBase: false, LortaCatalog.Default).Model;

    private static Adapter Changed(OnnxModel deployed, string pattern)
    {
        var adapter = RandomAdapter.For(deployed);
        var trained = AdaptedModel.Of(UnderstoodModel.Of(deployed), adapter.Config.AdapterOptions, LortaCatalog.Default, new([new TrainablePattern { Match = pattern }])).Trained(None, 0);
        var tensors = adapter.Tensors.ToDictionary();
        foreach (var tensor in trained.Where(tensor => tensor.Name.StartsWith("param.", StringComparison.Ordinal)))
            tensors[tensor.Name] = OnnxTensor.Of<float>([.. tensor.Initial.Dims], tensor.Initial.ToFloats().Select((value, i) => (value * 1.25f) + (0.25f * (i % 3))).ToArray());
        return adapter with { Tensors = tensors };
    }
}
