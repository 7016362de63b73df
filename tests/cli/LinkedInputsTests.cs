using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>Inputs that are symbolic links, as in a download cache: everything reads through them.</summary>
internal sealed class LinkedInputsTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeCache()
    {
        _folder = new();
        Directory.CreateDirectory(_folder["cache", "snapshots", "1"]);
        Directory.CreateDirectory(_folder["cache", "blobs"]);
        Directory.CreateDirectory(_folder["plain"]);
        SaveExternal(Exports.Path("llama-mini/ts-sdpa"), _folder["plain", "model.onnx"]);
        var tokenizer = Fixtures.Path("models", "llama-mini", "hf");
        foreach (var name in new[] { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json" }) File.Copy(Path.Combine(tokenizer, name), _folder["plain", name]);
        MoveToCache("plain", "cache/snapshots/1", "../../blobs");
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void A_model_its_data_tokenizer_adapter_recipe_and_texts_are_read_through_links()
    {
        Assert.That(Run("inject", _folder["cache", "snapshots", "1"], "-o", _folder["injected.onnx"], "--rank", "2"), Is.Zero);
        Directory.CreateDirectory(_folder["adapter"]);
        Directory.CreateDirectory(_folder["blobs"]);
        MoveToCache("injected.adapter", "adapter", "../blobs");
        File.WriteAllLines(_folder["blobs", "text"], File.ReadLines(Fixtures.Path("data", "own", "ship-log.txt")).Take(60));
        File.CreateSymbolicLink(_folder["log.txt"], "blobs/text");
        _folder.Write("blobs/recipe", "{ model: cache/snapshots/1, task: causal-lm, data: { train: log.txt, validationFraction: 0.2, maxLength: 16, packing: true } }");
        File.CreateSymbolicLink(_folder["recipe.yaml"], "blobs/recipe");

        Assert.That(Run("evaluate", _folder["recipe.yaml"], "--adapter", _folder["adapter"]), Is.Zero);
        Assert.That(Run("export", _folder["cache", "snapshots", "1"], "--adapter", _folder["adapter"], "-o", _folder["folded"], "--verify"), Is.Zero);
        Assert.That(Directory.EnumerateFiles(_folder["folded"]).Select(path => new FileInfo(path).LinkTarget), Has.All.Null);
    }

    [TestCase("model.onnx", "inspect {f}/cache/snapshots/1")]
    [TestCase("tokenizer.json", "generate {f}/cache/snapshots/1 --prompt And")]
    public void A_cache_with_a_lost_file_is_one_sentence(string lost, string command)
    {
        File.Delete(_folder["cache", "blobs", lost]);

        var run = CommandLine.Run(command.Replace("{f}", _folder.Path, StringComparison.Ordinal).Split(' '));

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)));
        Assert.That(run.Error, Does.Match($"^error LRT122: .*{lost}: cannot be followed, because .+ is a link to .+, which does not exist\\.\nhint: .+\n$"));
    }

    private static int Run(params string[] args)
    {
        var run = CommandLine.Run(args);
        return run.Error.StartsWith("error", StringComparison.Ordinal) ? throw new AssertionException(run.Error) : run.ExitCode;
    }

    private static void SaveExternal(string source, string path)
    {
        var model = OnnxModel.Load(source);
        foreach (var value in model.Graph.Initializers) value.IsExternal = true;
        model.Save(path);
    }

    // Each file becomes a blob under its own name, and a link to it.
    private void MoveToCache(string from, string snapshot, string blobs)
    {
        foreach (var path in Directory.GetFiles(_folder[from]))
        {
            File.Move(path, Path.GetFullPath(Path.Combine(blobs, Path.GetFileName(path)), _folder[snapshot]));
            File.CreateSymbolicLink(Path.Combine(_folder[snapshot], Path.GetFileName(path)), $"{blobs}/{Path.GetFileName(path)}");
        }
    }
}
