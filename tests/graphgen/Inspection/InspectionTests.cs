using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Inspection;

public sealed class InspectionTests
{
    private static IEnumerable<string> Understood => Exports.All;

    [TestCaseSource(nameof(Understood))]
    public void Inspection_equals_the_golden_sites(string export)
    {
        var golden = SitesGolden.Of(export);

        var found = SitesGolden.Written(Inspect(export));

        Assert.That(SitesGolden.Differences(golden, found), Is.Empty);
        foreach (var layer in found["layers"]!.AsArray())
            foreach (var letter in new[] { "q", "k", "v", "p" }) Assert.That(layer![letter]!.AsObject().Select(pair => pair.Key), Is.EquivalentTo(golden["layers"]![0]![letter]!.AsObject().Select(pair => pair.Key).Append("quantization")));
    }

    [Test]
    public void Inspection_states_the_file_its_inputs_and_its_outputs()
    {
        var found = SitesGolden.Written(Inspect("llama-mini/optimum-past"));

        Assert.That(found["model"]!.GetValue<string>(), Is.EqualTo("optimum-past.onnx"));
        Assert.That(found["opsets"]!.ToJsonString(), Is.EqualTo("""{"ai.onnx":18}"""));
        Assert.That(found["inputs"]![0]!.ToJsonString(), Does.StartWith("""{"name":"input_ids","type":"int64","shape":["""));
        Assert.That(found["outputs"]!.AsArray(), Has.Count.EqualTo(9));
        Assert.That(found["findings"]!.AsArray(), Is.Empty);
    }

    private static ModelInspection Inspect(string export)
    {
        return ModelInspection.Of(UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export))));
    }
}
