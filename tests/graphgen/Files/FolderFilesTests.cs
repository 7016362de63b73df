using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class FolderFilesTests
{
    [Test]
    public void Files_below_are_listed_in_order_and_links_to_folders_are_not_followed()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder["b", "c"]);
        Directory.CreateDirectory(folder["out"]);
        foreach (var name in new[] { "a", "b/c/d", ".hidden", "out/e" }) folder.Write(name, string.Empty);
        Directory.CreateSymbolicLink(folder["b", "round"], folder.Path);

        Assert.That(FolderFiles.In(folder.Path, except: folder["out"]), Is.EqualTo(new[] { ".hidden", "a", "b/c/d", "b/round" }));
    }
}
