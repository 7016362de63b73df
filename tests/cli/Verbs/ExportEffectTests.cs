using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>How much of an adapter's effect a folded file keeps, as <c>export</c> and <c>verify --adapter</c> judge it.</summary>
internal sealed class ExportEffectTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TestFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Both_verbs_give_one_verdict_whatever_the_weights_are_stored_in([Values] FewBitsForm form, [Values(0.001, 0.3)] double size)
    {
        var (model, adapter) = Adapted(form, size);

        var (export, verify) = Judged(model, adapter);

        Assert.That(export.Json["effectKept"]!.GetValue<double>(), Is.EqualTo(verify.Json["effectKept"]!.GetValue<double>()).Within(1e-4));
        Assert.That(export.Json["ok"]!.GetValue<bool>(), Is.EqualTo(verify.Json["ok"]!.GetValue<bool>()).And.EqualTo(export.Json["effectKept"]!.GetValue<double>() >= 0.5));
        Assert.That((export.ExitCode, verify.ExitCode), Is.EqualTo(export.Json["ok"]!.GetValue<bool>() ? (0, 0) : (1, 1)));
        Assert.That(export.Json["note"]!.GetValue<string>(), Does.Contain("% of the adapter's effect"));
    }

    [Test]
    public void Every_export_of_a_file_has_the_same_bytes_on_one_thread_and_on_two([Values] FewBitsForm form)
    {
        var (model, adapter) = Adapted(form, 0.3);

        var exports = new[] { "1", "2", "2" }.Select(Exported).ToList();

        Assert.That(exports[1], Is.EqualTo(exports[0]), "two threads and one");
        Assert.That(exports[2], Is.EqualTo(exports[1]), "two threads, again");

        byte[] Exported(string threads, int index)
        {
            var run = CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder[$"{index}.onnx"], "--threads", threads,
                "--allow-rounding");
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            return File.ReadAllBytes(_folder[$"{index}.onnx"]);
        }
    }

    [Test]
    public void Lost_effect_fails_with_the_way_out_unless_it_is_accepted()
    {
        var (model, adapter) = Adapted(FewBitsForm.Int8, 1e-4);

        var refused = CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["out.onnx"], "--json");
        var accepted = CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["accepted.onnx"], "--allow-rounding", "--json");

        Assert.That((refused.ExitCode, accepted.ExitCode), Is.EqualTo((1, 0)));
        Assert.That(refused.Error, Does.Contain("LRT709").And.Contain("--keep-base"));
        Assert.That(JsonNode.Parse(accepted.Output)!["ok"]!.GetValue<bool>(), Is.True);
        Assert.That(accepted.Error, Is.Empty);
    }

    [Test]
    public void Base_that_is_kept_keeps_all_of_the_effect()
    {
        var (model, adapter) = Adapted(FewBitsForm.Blocks4, 0.001);
        Assert.That(CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["out.onnx"], "--keep-base").ExitCode, Is.Zero);

        var verify = JsonNode.Parse(CommandLine.Run("verify", model, _folder["out.onnx"], "--adapter", adapter, "--json").Output)!;

        Assert.That((verify["ok"]!.GetValue<bool>(), verify["effectKept"]), Is.EqualTo((true, (JsonNode?)null)));
        Assert.That(verify["maxRelDiff"]!.GetValue<double>(), Is.LessThanOrEqualTo(1e-5));
    }

    [TestCase(FewBitsForm.Blocks4)]
    [TestCase(FewBitsForm.Integer)]
    public void Adapter_that_changes_nothing_says_so(FewBitsForm form)
    {
        var (model, adapter) = Adapted(form, 0);

        var (export, verify) = Judged(model, adapter);

        Assert.That((export.Json["effectKept"], verify.Json["effectKept"]), Is.EqualTo(((JsonNode?)null, (JsonNode?)null)));
        Assert.That((export.ExitCode, verify.ExitCode, export.Json["ok"]!.GetValue<bool>()), Is.EqualTo((0, 0, true)));
        Assert.That(export.Json["note"]!.GetValue<string>(), Does.Contain("changes nothing"));
    }

    [Test]
    public void Nothing_is_claimed_where_nothing_was_compared()
    {
        var model = Architecture("bert");
        var adapter = Injected(model, 0.3);

        var export = CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["out.onnx"], "--json");

        Assert.That((export.ExitCode, JsonNode.Parse(export.Output)!["ok"]), Is.EqualTo((0, (JsonNode?)null)));
    }

    [Test]
    public void A_tolerance_that_is_given_decides()
    {
        var (model, adapter) = Adapted(FewBitsForm.Int8, 1e-4);
        CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["out.onnx"]);

        var verify = CommandLine.Run("verify", model, _folder["out.onnx"], "--adapter", adapter, "--tolerance", "1");

        Assert.That(verify.ExitCode, Is.Zero);
    }

    [Test]
    public void Comparison_that_cannot_run_fails_only_when_it_was_asked_for_and_leaves_the_old_output()
    {
        var (model, adapter) = Adapted(FewBitsForm.Blocks4, 0.3);
        File.Copy(model, _folder["out.onnx"]);
        Safetensors.Save(_folder["inputs.safetensors"], new Dictionary<string, OnnxTensor> { ["others"] = OnnxTensor.Of<long>([1], [1]) });
        string[] command = ["export", model, "--adapter", adapter, "-o", _folder["out.onnx"], "--force", "--inputs", _folder["inputs.safetensors"], "--json"];

        var asked = CommandLine.Run([.. command, "--verify"]);
        var isOld = File.ReadAllBytes(_folder["out.onnx"]).AsSpan().SequenceEqual(File.ReadAllBytes(model));
        var unasked = CommandLine.Run(command);

        Assert.That((asked.ExitCode, asked.Output, isOld), Is.EqualTo((1, string.Empty, true)));
        Assert.That(asked.Error, Does.Contain("\"LRT706\"").And.Contain("takes the input 'input_ids', which is not among those given."));
        Assert.That((unasked.ExitCode, JsonNode.Parse(unasked.Output)!["ok"]), Is.EqualTo((0, (JsonNode?)null)));
        Assert.That(JsonNode.Parse(unasked.Output)!["note"]!.GetValue<string>(), Does.StartWith("Nothing was compared"));
    }

    [Test]
    public void Inputs_of_a_file_are_compared_on()
    {
        var (model, adapter) = Adapted(FewBitsForm.Blocks4, 0.3);
        Safetensors.Save(_folder["inputs.safetensors"], new Dictionary<string, OnnxTensor> { ["input_ids"] = OnnxTensor.Of<long>([1, 3], [5, 6, 7]), ["attention_mask"] = OnnxTensor.Of<long>([1, 3], [1, 1, 1]) });

        var export = CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["given.onnx"], "--verify", "--allow-rounding", "--inputs", _folder["inputs.safetensors"], "--json");
        var drawn = CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["drawn.onnx"], "--verify", "--allow-rounding", "--json");

        Assert.That(JsonNode.Parse(export.Output)!["maxAbsDiff"]!.GetValue<double>(), Is.Not.EqualTo(JsonNode.Parse(drawn.Output)!["maxAbsDiff"]!.GetValue<double>()));
    }

    private (Answer Export, Answer Verify) Judged(string model, string adapter)
    {
        var export = CommandLine.Run("export", model, "--adapter", adapter, "-o", _folder["out.onnx"], "--json");
        Assert.That(export.Output, Is.Not.Empty, export.Error);
        var verify = CommandLine.Run("verify", model, _folder["out.onnx"], "--adapter", adapter, "--json");
        Assert.That(verify.Output, Is.Not.Empty, verify.Error);
        return (new(export.ExitCode, JsonNode.Parse(export.Output)!), new(verify.ExitCode, JsonNode.Parse(verify.Output)!));
    }

    private (string Model, string Adapter) Adapted(FewBitsForm form, double size)
    {
        FewBits.Saved(OnnxModel.Load(Architecture("bert")), form, _folder["model.onnx"]);
        return (_folder["model.onnx"], Injected(_folder["model.onnx"], size));
    }

    // LoRA whose A and B are of one size.
    private string Injected(string model, double size)
    {
        Assert.That(CommandLine.Run("inject", model, "-o", _folder["drawn.onnx"], "--method", "lora", "--rank", "2", "--alpha", "2").ExitCode, Is.Zero);
        var drawn = Safetensors.Load(_folder["drawn.adapter", "adapter_model.safetensors"]).Tensors;
        Safetensors.Save(_folder["factors.safetensors"], drawn.ToDictionary(pair => pair.Key, pair => RandomTensor.Normal(pair.Key, pair.Value.Dims, pair.Key.EndsWith('B') ? size : 1, seed: 3), StringComparer.Ordinal));
        Assert.That(CommandLine.Run("inject", model, "-o", _folder["injected.onnx"], "--method", "lora", "--rank", "2", "--alpha", "2", "--factors", _folder["factors.safetensors"]).ExitCode, Is.Zero);
        File.Delete(_folder["drawn.onnx"]);
        return _folder["injected.adapter"];
    }

    private static string Architecture(string name) => Path.Combine(Fixtures.Repository, "tests", "fixtures", "architectures", $"{name}.onnx");

    private sealed record Answer(int ExitCode, JsonNode Json);
}
