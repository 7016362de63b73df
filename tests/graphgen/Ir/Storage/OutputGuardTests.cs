using System.Diagnostics;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Storage;

internal sealed class OutputGuardTests
{
    private TestFolder _folder = null!;
    private OnnxModel _source = null!;

    [SetUp]
    public void SaveModel()
    {
        _folder = new();
        Directory.CreateDirectory(_folder["base"]);
        _source = SmallModel.Saved(_folder["base", "a.onnx"], isExternal: true);
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void The_files_of_the_source_and_folders_that_hold_them_stay_even_when_forced()
    {
        foreach (var file in _source.Files) Assert.That(Refusal(guard => guard.CheckModel(file)), Is.EqualTo("LRT701"));
        Assert.That(Refusal(guard => guard.CheckModel(_folder["base", "..", "base", "a.onnx"])), Is.EqualTo("LRT701"));
        Assert.That(Refusal(guard => guard.CheckFolder(_folder["base"], _ => true)), Is.EqualTo("LRT701"));
    }

    [Test]
    public void A_link_to_the_sources_folder_hides_nothing()
    {
        Directory.CreateSymbolicLink(_folder["link"], _folder["base"]);

        Assert.That(Refusal(guard => guard.CheckModel(_folder["link", "a.onnx"])), Is.EqualTo("LRT701"));
        Assert.That(Refusal(guard => guard.CheckFolder(_folder["link"], _ => true)), Is.EqualTo("LRT701"));
    }

    [Test]
    public void The_file_behind_a_linked_source_stays()
    {
        var linked = SmallModel.Saved(_folder["base", "b.onnx"], isExternal: false);
        File.CreateSymbolicLink(_folder["b.onnx"], linked.Path);
        _source = OnnxModel.Load(_folder["b.onnx"]);

        Assert.That(Refusal(guard => guard.CheckModel(linked.Path)), Is.EqualTo("LRT701"));
    }

    [Test]
    public void An_output_that_exists_is_refused_unless_forced()
    {
        SmallModel.Saved(_folder["new.onnx"], isExternal: false);

        Assert.That(Refusal(guard => guard.CheckModel(_folder["new.onnx"]), force: false), Is.EqualTo("LRT102"));
        Assert.That(Refusal(guard => guard.CheckModel(_folder["new.onnx"])), Is.Null);
    }

    [TestCase("notes about the model")]
    [TestCase("{\"a\": 1}")]
    [TestCase("\b\0\0\0\0\0\0\0{}      ")]
    [TestCase("\b\n")]
    public void Another_kind_of_file_is_not_replaced_by_a_model(string text) =>
        Assert.That(Refusal(guard => guard.CheckModel(_folder.Write("new.onnx", text))), Is.EqualTo("LRT124"));

    [Test]
    public void A_model_that_was_cut_off_is_no_model_and_an_empty_file_is_nothing()
    {
        var whole = File.ReadAllBytes(SmallModel.Saved(_folder["new.onnx"], isExternal: false).Path);
        File.WriteAllBytes(_folder["cut.onnx"], whole[..^10]);

        Assert.That(Refusal(guard => guard.CheckModel(_folder["cut.onnx"])), Is.EqualTo("LRT124"));
        Assert.That(Refusal(guard => guard.CheckModel(_folder.Write("empty.onnx", string.Empty))), Is.Null);
    }

    [Test]
    public void Folders_links_pipes_and_devices_are_never_replaced_by_a_file([Values] bool force)
    {
        Directory.CreateDirectory(_folder["folder"]);
        File.CreateSymbolicLink(_folder["link"], SmallModel.Saved(_folder["behind.onnx"], isExternal: false).Path);
        File.CreateSymbolicLink(_folder["dead"], "nothing");
        List<string> places = [_folder["folder"], _folder["link"], _folder["dead"], _folder["slash"] + "/"];
        if (OperatingSystem.IsLinux()) places.AddRange([Pipe(), "/dev/null", "/dev/full"]);

        foreach (var place in places) Assert.That(Refusal(guard => guard.CheckModel(place), force), Is.EqualTo("LRT123"), place);
    }

    [Test]
    public void A_folder_is_never_written_over_a_file()
    {
        _folder.Write("file", "mine");
        Directory.CreateSymbolicLink(_folder["dead"], "nothing");

        Assert.That(Refusal(guard => guard.CheckFolder(_folder["file"], _ => true)), Is.EqualTo("LRT123"));
        Assert.That(Refusal(guard => guard.CheckFolder(_folder["dead"], _ => true)), Is.EqualTo("LRT123"));
    }

    [TestCase("base/c.onnx")]
    [TestCase("base/a.onnx.adapter")]
    [TestCase("bas")]
    public void What_neither_exists_nor_holds_the_source_may_be_written(string output)
    {
        Assert.That(Refusal(guard => guard.CheckModel(_folder[output]), force: false), Is.Null);
        Assert.That(Refusal(guard => guard.CheckFolder(_folder[output], _ => true), force: false), Is.Null);
    }

    private string Pipe()
    {
        using var process = Process.Start("mkfifo", _folder["pipe"]);
        process.WaitForExit();
        return _folder["pipe"];
    }

    private string? Refusal(Action<OutputGuard> check, bool force = true)
    {
        try
        {
            check(new OutputGuard(force, _source.Files));
            return null;
        }
        catch (LortaException e)
        {
            Assert.That(e.IsUsage);
            return e.Code;
        }
    }
}
