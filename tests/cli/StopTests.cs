using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>Verbs that are asked to stop before they are done: exit code 130, and nothing of them stays.</summary>
internal sealed class StopTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void WriteRecipe()
    {
        _folder = new TestFolder();
        _folder.Write("recipe.yaml", $$"""
            model: {{Exports.Path("llama-mini/ts-sdpa")}}
            tokenizer: {{Fixtures.Path("models", "llama-mini", "hf")}}
            task: causal-lm
            adapter: { method: lorta, rank: 2, alpha: 8, targets: [q, v], layers: [0] }
            data: { train: {{Fixtures.Path("data", "own", "ship-log.txt")}}, validationFraction: 0.02, maxLength: 16, packing: true }
            train: { steps: 1, batchSize: 1 }
            output: run
            """);
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("inspect {model}")]
    [TestCase("inspect {model} --graph {f}/graph.onnx")]
    [TestCase("inject {model} -o {f}/out.onnx")]
    [TestCase("artifacts {model} -o {f}/out --task causal-lm")]
    [TestCase("export {model} --adapter {f}/adapter -o {f}/out.onnx")]
    [TestCase("verify {model} {model}")]
    [TestCase("gradcheck {model} --task causal-lm")]
    [TestCase("evaluate {f}/recipe.yaml")]
    [TestCase("train {f}/recipe.yaml")]
    [TestCase("train {f}/recipe.yaml --resume")]
    [TestCase("quickstart -o {f}/quickstart")]
    public void Verb_that_is_stopped_at_once_leaves_nothing(string command)
    {
        if (command.StartsWith("export", StringComparison.Ordinal))
        {
            Assert.That(Run("inject {model} -o {f}/other.onnx --rank 2", CancellationToken.None).ExitCode, Is.Zero);
            Directory.Move(_folder["other.adapter"], _folder["adapter"]);
        }
        var before = _folder.Entries;
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        var run = Run(command, stop.Token);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((130, string.Empty)), run.Error);
        Assert.That(run.Error, Does.Contain("\"message\":\"Stopped.\""));
        Assert.That(_folder.Entries, Is.EqualTo(before));
    }

    private CommandLine Run(string command, CancellationToken stop)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var args = command.Split(' ').Select(word => word.Replace("{f}", _folder.Path, StringComparison.Ordinal).Replace("{model}", Exports.Path("llama-mini/ts-sdpa"), StringComparison.Ordinal));
        var code = Application.Run([.. args, "--json"], output, error, stop);
        return new(code, output.ToString(), error.ToString());
    }
}
