using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>CI takes every golden on one export, and every export with LoRTA; with <c>LORTA_MATRIX=1</c> all are taken together.</summary>
internal sealed class GradcheckVerbTests
{
    private static IEnumerable<TestCaseData> Cases =>
        from pairs in Goldens.WithExports.GroupBy(pair => pair.Golden)
        from pair in Environment.GetEnvironmentVariable("LORTA_MATRIX") == "1" || pairs.Key.EndsWith(".lorta", StringComparison.Ordinal) ? pairs : pairs.Take(1)
        select new TestCaseData(pair.Golden, pair.Export);

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
    public void Head_map_that_the_golden_states_is_used()
    {
        // Rows of C_H in another order, and a head map that finds them there: the same adapter.
        long[] order = [2, 0, 3, 1];
        var run = Changed(
            facts => facts["headMap"] = new JsonObject { ["q"] = new JsonArray(1, 3, 0, 2), ["v"] = new JsonArray(1, 0) },
            (name, tensor) => name.EndsWith(".C_H", StringComparison.Ordinal) ? Rows(tensor, order) : tensor);

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
    }

    [Test]
    public void Orientation_that_the_golden_states_is_used() =>
        Assert.That(Changed(facts => facts["orientation"]!["q"] = "input-heads").ExitCode, Is.EqualTo(1));

    [TestCase("scale", "5", "scale is 5, but 0.5 follows")]
    [TestCase("head", "\"classifier\"", "'factor.classifier.*' is missing")]
    [TestCase("orientation", "{\"v\": \"input-heads\"}", "layers.0.v")]
    [TestCase("headMap", "{\"v\": [0, 9]}", "headMap.v: [0, 9]")]
    [TestCase("targets", "null", "'targets' is missing or of the wrong type")]
    public void Golden_that_says_two_things_is_refused(string key, string value, string says)
    {
        var run = Changed(facts => facts[key] = JsonNode.Parse(value));

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)).Or.EqualTo((2, string.Empty)));
        Assert.That(run.Error, Does.Contain(says));
    }

    [Test]
    public void Golden_with_a_number_that_is_none_does_not_pass()
    {
        var run = Changed(_ => { }, (name, tensor) => name == "grad.A" ? OnnxTensor.Of<float>([.. tensor.Dims], [float.NaN, .. tensor.ToFloats()[1..]]) : tensor);

        Assert.That(run.ExitCode, Is.EqualTo(1), run.Output);
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
        var run = CommandLine.Run("gradcheck", Exports.Path("llama-mini/ts-sdpa"), "--golden", Goldens.Path("roberta-mini/seqcls.lorta"), "--batch", Batch("roberta-mini/seqcls.lorta"));

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)).Or.EqualTo((2, string.Empty)));
        Assert.That(run.Error, Does.Match("^error LRT\\d+: .+\nhint: .+\n$"));
    }

    [Test]
    public void Right_gradients_are_ok_with_all_defaults_although_the_loss_has_kinks() => IsOk(Fixtures.Path("field", "m1-gradcheck-false-alarm", "act-Relu.onnx"));

    [TestCase("--rank", "2", "--seed", "1")]
    [TestCase("--rank", "2", "--seed", "0", "--targets", "q,k,v,p")]
    public void Right_gradients_are_ok_although_the_loss_is_curved(params string[] options) => IsOk(Architectures.All.Single(architecture => architecture.Name == "bert").Path, options);

    private static void IsOk(string model, params string[] options)
    {
        var run = CommandLine.Run(["gradcheck", model, "--method", "lora", "--task", "causal-lm", "--json", .. options]);

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        using var result = JsonDocument.Parse(run.Output);
        Assert.That(result.RootElement.GetProperty("verdict").GetString(), Is.EqualTo("ok"), run.Output);
        Assert.That(result.RootElement.GetProperty("ok").GetBoolean(), Is.True);
        Assert.That(result.RootElement.GetProperty("maxGradRelDiff").GetDouble(), Is.LessThanOrEqualTo(result.RootElement.GetProperty("tolerance").GetDouble()));
    }

    // A check of a changed golden of the bundled decoder.
    private static CommandLine Changed(Action<JsonObject> facts, Func<string, OnnxTensor, OnnxTensor>? tensors = null)
    {
        const string Golden = "llama-mini/causal-lm.lorta";
        using var folder = new TestFolder();
        var json = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(Goldens.Path(Golden), ".json")))!.AsObject();
        facts(json);
        folder.Write("golden.json", json.ToJsonString());
        Safetensors.Save(folder["golden.safetensors"], Safetensors.Load(Goldens.Path(Golden)).Tensors.ToDictionary(pair => pair.Key, pair => tensors?.Invoke(pair.Key, pair.Value) ?? pair.Value));
        return CommandLine.Run("gradcheck", Exports.Path("llama-mini/ts-sdpa"), "--golden", folder["golden.safetensors"], "--batch", Batch(Golden), "--json");
    }

    private static OnnxTensor Rows(OnnxTensor tensor, long[] order)
    {
        var (values, width) = (tensor.ToFloats(), (int)tensor.Dims[1]);
        return OnnxTensor.Of<float>([.. tensor.Dims], [.. order.SelectMany(row => values[((int)row * width)..(((int)row + 1) * width)])]);
    }

    private static string Batch(string golden)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("goldens", $"{golden}.json")));
        return Fixtures.Path("models", Exports.Split(golden).Folder, "reference", json.RootElement.GetProperty("batch").GetString()!);
    }
}
