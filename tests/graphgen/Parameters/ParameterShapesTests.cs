using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Parameters;

internal sealed class ParameterShapesTests
{
    [TestCase("roberta-mini/seqcls.ts-eager")]
    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/dynamo18")]
    public void Shapes_are_those_of_the_parameters_as_they_are_read(string export)
    {
        var model = OnnxModel.Load(Exports.Path(export));
        var names = ParameterNames.Of(model);

        Assert.That(names.Select(name => ParameterShapes.Of(model, names, name.Name)), Is.EqualTo(names.Select(name => ModelParameters.ReadParameter(model, name).Dims)));
    }

    [TestCase("model.layers.0.self_attn.k_proj.bias", ExpectedResult = 64)]
    [TestCase("model.layers.0.none.bias", ExpectedResult = null)]
    public long? Dropped_bias_is_as_wide_as_its_layer(string name)
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        return ParameterShapes.Of(model, ParameterNames.Of(model), name)?.Single();
    }
}
