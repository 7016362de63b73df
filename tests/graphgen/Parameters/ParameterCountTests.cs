using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Parameters;

public sealed class ParameterCountTests
{
    [TestCase("llama-mini/genai-int4", "llama-mini/genai")]
    [TestCase("llama-mini/int8-qdq", "llama-mini/ts-sdpa")]
    [TestCase("llama-mini/fp16", "llama-mini/ts-sdpa")]
    [TestCase("roberta-mini/seqcls.int8-dynamic", "roberta-mini/seqcls.ts-eager")]
    public void Narrow_file_has_the_parameters_of_the_plain_one(string narrow, string plain)
    {
        var expected = (double)ParameterCount.Of(OnnxModel.Load(Exports.Path(plain)));

        var found = (double)ParameterCount.Of(OnnxModel.Load(Exports.Path(narrow)));

        Assert.That(found, Is.EqualTo(expected).Within(0.1).Percent);   // exporters keep a few constants of their own
    }

    [Test]
    public void Low_bit_matrices_count_by_their_rows_and_columns()
    {
        var model = OnnxModel.Load(Exports.Path("smollm2/model"));

        Assert.That(ParameterCount.Of(model), Is.InRange(134_500_000, 135_100_000));   // SmolLM2-135M: 134,515,008 and tables of rotations
    }
}
