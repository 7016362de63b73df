using System.Text.RegularExpressions;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

internal sealed partial class ExportTargetTests
{
    private TestFolder _folder = null!;
    private OnnxModel _model = null!;

    [SetUp]
    public void FillFolder()
    {
        _folder = new();
        Directory.CreateDirectory(_folder["source", "1_Pooling"]);
        _model = SmallModel.Saved(_folder["source", "model.onnx"], isExternal: true);
        foreach (var name in new[] { "source/tokenizer.json", "source/1_Pooling/config.json" }) _folder.Write(name, "{}");
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Everything_beside_the_model_goes_along_with_its_subfolders()
    {
        Write("out");

        Assert.That(Below("out/").Select(name => Hash().Replace(name, "HASH")), Is.EqualTo(new[] { "out/1_Pooling", "out/1_Pooling/config.json", "out/model.onnx", "out/model.onnx.HASH.data", "out/tokenizer.json" }));
    }

    [Test]
    public void An_output_inside_the_source_does_not_hold_itself()
    {
        Write("source/out");

        Write("source/out", force: true);

        Assert.That(Below("source/out/"), Has.Count.EqualTo(5).And.None.Contains("out/out"));
    }

    [Test]
    public void A_folder_with_files_of_others_is_not_replaced()
    {
        Write("out");
        _folder.Write("out/notes.txt", "mine");

        Assert.That(() => Write("out", force: true), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT107"));
        Assert.That(File.ReadAllText(_folder["out", "notes.txt"]), Is.EqualTo("mine"));
    }

    [TestCase("out.onnx.data", false, ExpectedResult = null)]
    [TestCase("out.onnx", false, ExpectedResult = "LRT102")]
    [TestCase("out.onnx", true, ExpectedResult = "LRT124")]
    [TestCase(null, true, ExpectedResult = null)]
    public string? Only_the_model_itself_is_in_the_way(string? taken, bool force)
    {
        if (taken is not null) _folder.Write(taken, "mine");
        try
        {
            ExportTarget.Of(_model.Path, _model, _folder["out.onnx"]).Write(_model, force);
        }
        catch (LortaException e)
        {
            return e.Code;
        }
        finally
        {
            if (taken is not null) Assert.That(File.ReadAllText(_folder[taken]), Is.EqualTo("mine"));
        }
        return null;
    }

    [Test]
    public void Weights_of_the_source_are_never_overwritten() =>
        Assert.That(() => ExportTarget.Of(_model.Path, _model, _model.Files[1]).Write(_model, force: true), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT701"));

    [Test]
    public void What_others_are_writing_in_the_source_does_not_go_along()
    {
        _folder.Write("source/lorta-0123456789abcdef.tmp", "half");

        Write("out");

        Assert.That(Below("out/"), Has.Count.EqualTo(5).And.None.Contains("lorta-"));
    }

    [TestCase("../secret")]
    [TestCase("1_Pooling/inner")]
    public void A_link_that_leads_out_of_the_folder_is_refused_before_anything_is_written(string target)
    {
        _folder.Write("secret", "of somebody else");
        File.CreateSymbolicLink(_folder["source", "1_Pooling", "inner"], _folder["secret"]);
        File.CreateSymbolicLink(_folder["source", "vocab.json"], target);

        var failure = Assert.Throws<LortaException>(() => Write("out"))!;

        Assert.That(failure.Code, Is.EqualTo("LRT125"));
        Assert.That(failure.Message, Does.EndWith($"leads to {_folder["secret"]}, outside the model's folder."));
        Assert.That(Below("out"), Is.Empty);
    }

    [Test]
    public void A_link_within_the_folder_goes_along_as_the_file()
    {
        File.CreateSymbolicLink(_folder["source", "1_Pooling", "tokenizer.json"], "../tokenizer.json");

        Write("out");

        var copy = new FileInfo(_folder["out", "1_Pooling", "tokenizer.json"]);
        Assert.That((File.ReadAllText(copy.FullName), copy.LinkTarget), Is.EqualTo(("{}", (string?)null)));
    }

    [TestCase("source", "out.onnx", ExpectedResult = "out.onnx")]
    [TestCase("source", "out", ExpectedResult = "out/model.onnx")]
    [TestCase("source/model.onnx", "out.onnx", ExpectedResult = "out.onnx")]
    [TestCase("source/model.onnx", "new/", ExpectedResult = "new/model.onnx")]
    [TestCase("source/model.onnx", "folded", ExpectedResult = "folded")]
    public string An_output_is_a_file_or_a_folder_by_its_name_and_by_what_is_exported(string model, string output)
    {
        var target = ExportTarget.Of(_folder[model], _model, Path.Join(_folder.Path, output));

        Assert.That(target.Folder is null, Is.EqualTo(model != "source" || output == "out.onnx"));
        return Path.GetRelativePath(_folder.Path, target.File).Replace('\\', '/');
    }

    [Test]
    public void A_folder_with_the_name_of_a_model_is_refused_and_stays_as_it_is()
    {
        Directory.CreateDirectory(_folder["out.onnx"]);

        Assert.That(() => Write("out.onnx", force: true), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT123"));
        Assert.That(Below("out.onnx"), Is.EqualTo(new[] { "out.onnx" }));
    }

    private void Write(string output, bool force = false) => ExportTarget.Of(_folder["source"], _model, _folder[output]).Write(_model, force);

    private List<string> Below(string prefix) => [.. _folder.Entries.Where(entry => entry.StartsWith(prefix, StringComparison.Ordinal))];

    [GeneratedRegex("[0-9a-f]{16}")]
    private static partial Regex Hash();
}
