using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class AtomicFolderTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void A_folder_of_ours_is_replaced_whole()
    {
        AtomicFolder.Write(_folder["out"], ["a", "b"], folder => File.WriteAllText(Path.Combine(folder, "a"), "1"));

        AtomicFolder.Write(_folder["out"], ["a", "b"], folder => File.WriteAllText(Path.Combine(folder, "b"), "2"));

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "out", "out/b" }));
    }

    [TestCase("mine.txt")]
    [TestCase("below/a")]
    public void A_folder_that_holds_something_else_stays_as_it_is(string other)
    {
        Directory.CreateDirectory(_folder["out", "below"]);
        File.WriteAllText(_folder["out", other], "mine");
        var before = _folder.Entries;

        var failure = Assert.Throws<LortaException>(() => AtomicFolder.Write(_folder["out"], ["a"], folder => File.WriteAllText(Path.Combine(folder, "a"), "1")))!;

        Assert.That((failure.Code, failure.IsUsage, failure.Message.Contains($"'{other}'", StringComparison.Ordinal)), Is.EqualTo(("LRT107", true, true)));
        Assert.That(_folder.Entries, Is.EqualTo(before));
    }

    [Test]
    public void What_fails_leaves_nothing()
    {
        Assert.That(() => AtomicFolder.Write(_folder["out"], ["a"], _ => throw new IOException("No space left on device.")), Throws.TypeOf<LortaException>());

        Assert.That(_folder.Entries, Is.Empty);
    }
}
