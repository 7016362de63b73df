using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary><c>--force</c> replaces what a command writes, and nothing that it reads, no other file and no special one.</summary>
internal sealed class ForcedOutputTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeInputs()
    {
        _folder = new();
        Directory.CreateDirectory(_folder["run", "adapter"]);
        File.Copy(Exports.Path("llama-mini/ts-sdpa"), _folder["base.onnx"]);
        File.Copy(_folder["base.onnx"], _folder["run", "adapter", "base.onnx"]);
        _folder.Write("run/log.txt", "label\ttext\n0\tone\n1\ttwo\n");
        _folder.Write("notes.onnx", "not a model");
        _folder.Write("recipe.yaml", $$"""
            model: base.onnx
            tokenizer: {{Fixtures.Path("models", "llama-mini", "hf")}}
            task: causal-lm
            output: run
            data: { train: {{Fixtures.Path("data", "own", "ship-log.txt")}}, validationFraction: 0.15, maxLength: 32, packing: true }
            train: { steps: 1, batchSize: 1 }
            """);
        Assert.That(CommandLine.Run("inject", _folder["base.onnx"], "-o", _folder["injected.onnx"], "--rank", "2").ExitCode, Is.Zero);
        Directory.Move(_folder["injected.adapter"], _folder["ad"]);
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("train {f}/recipe.yaml --force --set model={f}/run/adapter/base.onnx", "LRT701")]
    [TestCase("train {f}/recipe.yaml --force --set data.train={f}/run/log.txt --set data.format=tsv", "LRT701")]
    [TestCase("train {f}/recipe.yaml --force", "LRT107")]
    [TestCase("train {f}/recipe.yaml --force -o {f}/base.onnx", "LRT123")]
    [TestCase("export {f}/base.onnx --adapter {f}/ad -o {f}/ad/adapter_model.safetensors --force", "LRT701")]
    [TestCase("export {f}/base.onnx --adapter {f}/ad -o {f}/base.onnx --force", "LRT701")]
    [TestCase("export {f}/base.onnx --adapter {f}/ad -o {f}/notes.onnx --force", "LRT124")]
    [TestCase("export {f}/base.onnx --adapter {f}/ad -o {f}/recipe.yaml --force", "LRT124")]
    [TestCase("export {f}/base.onnx --adapter {f}/ad -o {f}/run --force", "LRT123")]
    [TestCase("export {f}/base.onnx --adapter {f}/ad -o /dev/null --force", "LRT123")]
    [TestCase("export {f}/base.onnx --adapter {f}/ad -o /dev/null", "LRT123")]
    [TestCase("inspect {f}/base.onnx --graph {f}/base.onnx --force", "LRT701")]
    [TestCase("inspect {f}/base.onnx --graph {f}/notes.onnx --force", "LRT124")]
    [TestCase("inspect {f}/base.onnx --graph /dev/null", "LRT123")]
    [TestCase("inject {f}/base.onnx -o /dev/full --force", "LRT123")]
    [TestCase("inject {f}/base.onnx -o {f}/run.onnx --rank 2 --factors {f}/ad/adapter_model.safetensors --force", null)]
    [TestCase("inject {f}/base.onnx -o {f}/ad/adapter_model.safetensors --rank 2 --factors {f}/ad/adapter_model.safetensors --force", "LRT701")]
    [TestCase("artifacts {f}/base.onnx -o {f}/notes.onnx --task causal-lm --force", "LRT123")]
    [TestCase("artifacts {f}/base.onnx -o {f}/run --task causal-lm --force", "LRT107")]
    [TestCase("quickstart -o {f}/notes.onnx", "LRT102")]
    public void Nothing_else_is_replaced(string command, string? code)
    {
        if (command.Contains("/dev/", StringComparison.Ordinal) && !OperatingSystem.IsLinux()) Assert.Ignore("There are no such devices.");
        var before = Contents();

        var run = CommandLine.Run([.. command.Split(' ').Select(word => word.Replace("{f}", _folder.Path, StringComparison.Ordinal))]);

        if (code is null)
        {
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            return;
        }
        Assert.That(run.Error, Does.Match($"^error {code}: .+\nhint: .+\n$"));
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((2, string.Empty)));
        Assert.That(Contents(), Is.EqualTo(before));
    }

    [Test]
    public void A_model_with_its_data_is_replaced_whole()
    {
        var model = OnnxModel.Load(_folder["base.onnx"]);
        foreach (var value in model.Graph.Initializers) value.IsExternal = true;
        Directory.CreateDirectory(_folder["apart"]);
        model.Save(_folder["apart", "base.onnx"]);
        string[] export = ["export", _folder["apart", "base.onnx"], "--adapter", _folder["ad"], "-o", _folder["o", "m.onnx"], "--keep-base"];
        Assert.That(CommandLine.Run(export).ExitCode, Is.Zero);
        var first = _folder.Entries.Where(name => name.StartsWith("o/", StringComparison.Ordinal)).ToList();

        Assert.That(CommandLine.Run([.. export, "--force"]).ExitCode, Is.Zero);

        Assert.That(first, Has.Count.EqualTo(2));
        Assert.That(_folder.Entries.Where(name => name.StartsWith("o/", StringComparison.Ordinal)), Is.EqualTo(first));
    }

    private Dictionary<string, int> Contents() => _folder.Entries.ToDictionary(name => name, name => File.Exists(_folder[name]) ? File.ReadAllBytes(_folder[name]).Aggregate(17, HashCode.Combine) : 0, StringComparer.Ordinal);
}
