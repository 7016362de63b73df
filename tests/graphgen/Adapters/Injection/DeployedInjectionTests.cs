using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Tests.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Injection;

/// <summary>Adapters as side branches of the deployed file.</summary>
internal sealed class DeployedInjectionTests
{
    private static readonly AdapterOptions Options = new() { Rank = 2, Alpha = 2, Targets = ["q", "k", "v", "p"] };

    [TestCase("llama-mini/ts-sdpa", "lorta")]
    [TestCase("llama-mini/dynamo18", "lora")]
    [TestCase("roberta-mini/seqcls.ts-eager", "lorta")]
    [TestCase("roberta-mini/seqcls.dynamo18", "lora")]
    public void Side_branches_compute_what_the_training_copy_computes(string export, string method)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var (injected, adapter) = DeployedInjection.WithInputs(deployed, Options with { Method = method }, Factors(deployed, method), seed: 0);
        var batch = Exports.Batch(export, deployed);

        var found = Ort.Run(injected, batch)["logits"].ToFloats();

        var expected = Ort.Run(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, batch)["logits"].ToFloats();
        Assert.That(found, Is.EqualTo(expected).Within(1e-5 * expected.Max(Math.Abs)));
        Assert.That(found.Zip(Ort.Run(deployed, batch)["logits"].ToFloats()).Max(pair => Math.Abs(pair.First - pair.Second)), Is.GreaterThan(1e-4), "the adapter must change something");
    }

    [TestCase("llama-mini/ts-eager")]
    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/dynamo18")]
    [TestCase("llama-mini/optimum-past")]
    [TestCase("esm-mini/mlm.ts-eager")]
    [TestCase("roberta-mini/seqcls.ts-eager")]
    [TestCase("roberta-mini/seqcls.optimum")]
    [TestCase("minilm/ts-sdpa")]
    public void Keys_and_values_come_before_those_of_the_sequence_in_the_file_as_in_the_training_copy(string export)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var options = new AdapterOptions { Method = "prefix", Options = new Dictionary<string, string> { ["length"] = "3" } };
        var values = AdapterPlan.Of(UnderstoodModel.Of(deployed), options).Factors.ToDictionary(factor => factor.Name, factor => RandomTensor.Normal(factor.Name, [.. factor.Dims]));
        var (injected, adapter) = DeployedInjection.WithInputs(deployed, options, values, seed: 0);
        var batch = Exports.Batch(export, deployed);
        var off = batch.Append(new(TrainingNames.Scale, OnnxTensor.Scalar(0f))).ToDictionary();

        var (found, without) = (Result(injected, batch), Result(injected, off));

        var (expected, before) = (Result(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, batch), Result(deployed, batch));
        Assert.That(found, Is.EqualTo(expected).Within(1e-5 * expected.Max(Math.Abs)));
        Assert.That(without, Is.EqualTo(before).Within(1e-6 * Math.Max(1, before.Max(Math.Abs))));   // ONNX Runtime fuses the attention of the base
        Assert.That(found, Is.Not.EqualTo(before).Within(1e-3 * before.Max(Math.Abs)), "the adapter must change something");
    }

    [TestCase("llama-mini/genai", "attention is one operator")]
    [TestCase("roberta-mini/seqcls.mha-fused", "attention is one operator")]
    [TestCase("llama-mini/dynamo18-raw", "the file scales or rotates its keys in a form of its own")]
    public void Attention_in_another_form_takes_no_further_keys(string export, string why)
    {
        var model = OnnxModel.Load(Exports.Path(export));
        var options = new AdapterOptions { Method = "prefix" };

        var failure = Assert.Throws<LortaException>(() => DeployedInjection.WithInputs(model, options, new Dictionary<string, OnnxTensor>(), seed: 0))!;

        Assert.That(failure.Code, Is.EqualTo("LRT328"));
        Assert.That(failure.Message, Does.Contain(why));
    }

    [Test]
    public void Fresh_adapter_changes_no_bit_of_the_logits()
    {
        var deployed = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var batch = Exports.Batch("roberta-mini/seqcls.ts-eager", deployed);

        var (injected, _) = DeployedInjection.WithInputs(deployed, Options, new Dictionary<string, OnnxTensor>(), seed: 3);

        Assert.That(Ort.Run(injected, batch)["logits"].ToFloats(), Is.EqualTo(Ort.Run(deployed, batch)["logits"].ToFloats()));
    }

    [Test]
    public void Files_own_inputs_outputs_and_opset_stay()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var (injected, _) = DeployedInjection.WithInputs(deployed, Options, new Dictionary<string, OnnxTensor>(), seed: 0);

        Assert.That(injected.Graph.Inputs.Where(input => input.Constant is null).Select(input => input.Name), Is.EqualTo(deployed.Graph.Inputs.Select(input => input.Name)));
        Assert.That(injected.Graph.Outputs.Select(output => output.Name), Is.EqualTo(deployed.Graph.Outputs.Select(output => output.Name)));
        Assert.That(injected.Opsets, Is.EqualTo(deployed.Opsets));
    }

    [Test]
    public void Given_factor_of_another_shape_is_refused_by_name()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var failure = Assert.Throws<LortaException>(() => DeployedInjection.WithInputs(deployed, Options, new Dictionary<string, OnnxTensor> { ["A"] = OnnxTensor.Of<float>([3, 2], new float[6]) }, seed: 0))!;

        Assert.That(failure.Code, Is.EqualTo("LRT308"));
        Assert.That(failure.Message, Does.Contain("'A'"));
    }

    private static float[] Result(OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> batch) =>
        ((IGraphEvaluator)FamilyCase.Evaluator).Run(model, batch.Where(input => model.Graph.Find(input.Key) is { IsInput: true }).ToDictionary())["logits"].ToFloats();

    private static Dictionary<string, OnnxTensor> Factors(OnnxModel deployed, string method)
    {
        var (_, adapter) = DeployedInjection.WithInputs(deployed, Options with { Method = method }, new Dictionary<string, OnnxTensor>(), seed: 0);
        return adapter.Tensors.ToDictionary(pair => pair.Key, pair => RandomTensor.Normal(pair.Key, pair.Value.Dims, 1.0 / 3));
    }
}
