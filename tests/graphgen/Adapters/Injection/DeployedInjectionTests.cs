using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
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
        var (injected, adapter) = DeployedInjection.Apply(deployed, Options with { Method = method }, Factors(deployed, method), seed: 0);
        var batch = Exports.Batch(export, deployed);

        var found = Ort.Run(injected, batch)["logits"].ToFloats();

        var expected = Ort.Run(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false).Model, batch)["logits"].ToFloats();
        Assert.That(found, Is.EqualTo(expected).Within(1e-5 * expected.Max(Math.Abs)));
        Assert.That(found.Zip(Ort.Run(deployed, batch)["logits"].ToFloats()).Max(pair => Math.Abs(pair.First - pair.Second)), Is.GreaterThan(1e-4), "the adapter must change something");
    }

    [Test]
    public void Fresh_adapter_changes_no_bit_of_the_logits()
    {
        var deployed = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var batch = Exports.Batch("roberta-mini/seqcls.ts-eager", deployed);

        var (injected, _) = DeployedInjection.Apply(deployed, Options, new Dictionary<string, OnnxTensor>(), seed: 3);

        Assert.That(Ort.Run(injected, batch)["logits"].ToFloats(), Is.EqualTo(Ort.Run(deployed, batch)["logits"].ToFloats()));
    }

    [Test]
    public void Files_own_inputs_outputs_and_opset_stay()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var (injected, _) = DeployedInjection.Apply(deployed, Options, new Dictionary<string, OnnxTensor>(), seed: 0);

        Assert.That(injected.Graph.Inputs.Where(input => input.Constant is null).Select(input => input.Name), Is.EqualTo(deployed.Graph.Inputs.Select(input => input.Name)));
        Assert.That(injected.Graph.Outputs.Select(output => output.Name), Is.EqualTo(deployed.Graph.Outputs.Select(output => output.Name)));
        Assert.That(injected.Opsets, Is.EqualTo(deployed.Opsets));
    }

    [Test]
    public void Given_factor_of_another_shape_is_refused_by_name()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var failure = Assert.Throws<LortaException>(() => DeployedInjection.Apply(deployed, Options, new Dictionary<string, OnnxTensor> { ["A"] = OnnxTensor.Of<float>([3, 2], new float[6]) }, seed: 0))!;

        Assert.That(failure.Code, Is.EqualTo("LRT308"));
        Assert.That(failure.Message, Does.Contain("'A'"));
    }

    private static Dictionary<string, OnnxTensor> Factors(OnnxModel deployed, string method)
    {
        var (_, adapter) = DeployedInjection.Apply(deployed, Options with { Method = method }, new Dictionary<string, OnnxTensor>(), seed: 0);
        return adapter.Tensors.ToDictionary(pair => pair.Key, pair => RandomTensor.Normal(pair.Key, pair.Value.Dims, 1.0 / 3));
    }
}
