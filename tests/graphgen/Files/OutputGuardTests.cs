using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class OutputGuardTests
{
    private TestFolder _folder = null!;
    private Model _source = null!;

    [SetUp]
    public void SaveModel()
    {
        _folder = new();
        Directory.CreateDirectory(_folder["base"]);
        _source = SmallModel.Saved(_folder["base", "a.onnx"], isExternal: true);
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("base/a.onnx")]
    [TestCase("base/a.onnx.data")]
    [TestCase("base/../base/a.onnx.data")]
    [TestCase("base")]
    public void The_files_of_the_source_stay_even_when_forced(string output)
    {
        var failure = Assert.Throws<LortaException>(() => new OutputGuard(force: true, _source).Check(_folder[output]))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT701", true)));
    }

    [Test]
    public void A_link_to_the_sources_folder_hides_nothing()
    {
        Directory.CreateSymbolicLink(_folder["link"], _folder["base"]);

        Assert.That(() => new OutputGuard(force: true, _source).Check(_folder["link", "a.onnx"]), Throws.TypeOf<LortaException>());
    }

    [Test]
    public void The_file_behind_a_linked_source_stays()
    {
        var linked = SmallModel.Saved(_folder["base", "b.onnx"], isExternal: false);
        File.CreateSymbolicLink(_folder["b.onnx"], linked.Path);

        Assert.That(() => new OutputGuard(force: true, Model.Load(_folder["b.onnx"])).Check(linked.Path), Throws.TypeOf<LortaException>());
    }

    [Test]
    public void Every_output_that_exists_is_refused_unless_forced()
    {
        var outputs = new[] { _folder["new.onnx"], _folder.Write("new.onnx.data", "mine") };

        var failure = Assert.Throws<LortaException>(() => new OutputGuard(force: false, _source).Check(outputs))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT102", $"{outputs[1]}: exists already.")));
        Assert.That(() => new OutputGuard(force: true, _source).Check(outputs), Throws.Nothing);
    }

    [TestCase("base/c.onnx")]
    [TestCase("base/a.onnx.adapter")]
    [TestCase("bas")]
    public void What_neither_exists_nor_holds_the_source_may_be_written(string output) =>
        Assert.That(() => new OutputGuard(force: false, _source).Check(_folder[output]), Throws.Nothing);
}
