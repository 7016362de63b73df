using System.Text.Json;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

internal sealed class GradcheckVerbTests
{
    private static IEnumerable<TestCaseData> Cases => Goldens.WithExports.Select(pair => new TestCaseData(pair.Golden, pair.Export));

    [TestCaseSource(nameof(Cases))]
    public void Golden_holds_on_every_export_of_its_model_and_task(string golden, string export)
    {
        var run = CommandLine.Run("gradcheck", Exports.Path(export), "--golden", Goldens.Path(golden), "--batch", Batch(golden), "--json");

        using var result = JsonDocument.Parse(run.Output.Length > 0 ? run.Output : "{}");
        Assert.That(run.ExitCode, Is.Zero, $"{run.Output}{run.Error}");
        Assert.That(result.RootElement.GetProperty("ok").GetBoolean(), Is.True);
    }

    [Test]
    public void Head_is_compared_along_with_the_factors()
    {
        var run = CommandLine.Run("gradcheck", Exports.Path("roberta-mini/seqcls.ts-eager"), "--golden", Goldens.Path("roberta-mini/seqcls.lorta-head"), "--batch", Batch("roberta-mini/seqcls.lorta-head"), "--json");

        using var result = JsonDocument.Parse(run.Output);
        var names = result.RootElement.GetProperty("factors").EnumerateArray().Select(factor => factor.GetProperty("name").GetString());
        Assert.That(names, Is.SupersetOf(new[] { "A", "B", "C_H", "C_L", "C_M", "classifier.dense.weight", "classifier.dense.bias", "classifier.out_proj.weight", "classifier.out_proj.bias" }));
    }

    [Test]
    public void Batch_beside_the_model_is_the_default()
    {
        if (Fixtures.Root is null) Assert.Ignore("The bundled models have no reference folder beside them.");

        var run = CommandLine.Run("gradcheck", Exports.Path("llama-mini/ts-sdpa"), "--golden", Goldens.Path("llama-mini/causal-lm.lorta"));

        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }

    [Test]
    public void Golden_of_another_model_fails_in_one_sentence()
    {
        var run = CommandLine.Run("gradcheck", Exports.Path("llama-mini/ts-sdpa"), "--golden", Goldens.Path("roberta-mini/seqcls.lorta"), "--batch", Batch("roberta-mini/seqcls.lorta"), "--json");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)).Or.EqualTo((2, string.Empty)));
        Assert.That(run.Error, Does.Match("^error LRT\\d+: .+\nhint: .+\n$"));
    }

    private static string Batch(string golden)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("goldens", $"{golden}.json")));
        return Fixtures.Path("models", Exports.Split(golden).Folder, "reference", json.RootElement.GetProperty("batch").GetString()!);
    }
}
