using System.Text.Json;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Parameters;

/// <summary>Names of parameters against names.json, which was made by comparing numbers with PyTorch's.</summary>
public sealed class ParameterNamesTests
{
    public static IEnumerable<TestCaseData> Cases =>
        from file in Fixtures.Files("models", "names.json")
        let folder = file[..file.IndexOf('/', StringComparison.Ordinal)]
        from export in JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("models", file))).RootElement.EnumerateObject()
        where Exports.All.Contains($"{folder}/{export.Name}")
        select new TestCaseData(Exports.Path($"{folder}/{export.Name}"), export.Value).SetArgDisplayNames($"{folder}/{export.Name}");

    [TestCaseSource(nameof(Cases))]
    public void Every_parameter_has_its_name(string path, JsonElement golden)
    {
        // A parameter that the exporter dropped or that belongs to no exported module has no tensor.
        var expected = golden.EnumerateObject().Where(entry => entry.Value.GetProperty("initializer").ValueKind != JsonValueKind.Null).Select(Describe).ToArray();

        var names = ParameterNames.Of(OnnxModel.Load(path));

        Assert.That(names.Select(Describe), Is.EquivalentTo(expected));
        Assert.That(names.Select(name => name.Name), Is.Unique);
    }

    // No golden has these: their numbers are rounded. The names are those of the plain export of the same model.
    [TestCase("llama-mini", "fp16", "ts-sdpa")]
    [TestCase("llama-mini", "int8-qdq", "ts-sdpa")]
    [TestCase("llama-mini", "genai-int4", "genai")]
    [TestCase("roberta-mini", "seqcls.fp16", "seqcls.ts-eager")]
    [TestCase("roberta-mini", "seqcls.int8-dynamic", "seqcls.ts-eager")]
    public void Rounded_parameters_have_the_same_names(string model, string export, string plain)
    {
        var golden = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("models", model, "names.json"))).RootElement.GetProperty(plain);

        var names = ParameterNames.Of(OnnxModel.Load(Fixtures.Path("models", model, $"{export}.onnx")));

        Assert.That(names.Select(name => name.Name), Is.EquivalentTo(golden.EnumerateObject().Select(entry => entry.Name)));
    }

    [Test]
    public void A_real_deployment_has_all_its_parameters()
    {
        var names = ParameterNames.Of(OnnxModel.Load(Fixtures.Path("models", "smollm2", "model.onnx"))).Select(name => name.Name).ToArray();

        string[] layer = ["input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];
        var expected = Enumerable.Range(0, 30).SelectMany(i => layer.Select(module => $"model.layers.{i}.{module}.weight"));
        Assert.That(names, Is.EquivalentTo(expected.Concat(["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"])));
    }

    private static string Describe(JsonProperty entry)
    {
        var slice = entry.Value.GetProperty("slice") is { ValueKind: JsonValueKind.Array } range ? string.Join(',', range.EnumerateArray()) : "all";
        var also = entry.Value.TryGetProperty("also", out var others) ? string.Join(',', others.EnumerateArray().Select(other => other.GetString())) : string.Empty;
        return $"{entry.Name} = {entry.Value.GetProperty("initializer").GetString()} {(entry.Value.GetProperty("transposed").GetBoolean() ? "[in, out]" : "as is")} {slice} also {also}";
    }

    private static string Describe(ParameterName name)
    {
        var slice = name.Slice is var (axis, start, end) ? $"{axis},{start},{end}" : "all";
        return $"{name.Name} = {name.Initializer} {(name.IsTransposed ? "[in, out]" : "as is")} {slice} also {string.Join(',', name.Also)}";
    }
}
