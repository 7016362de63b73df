namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class ScratchFolderTests
{
    [Test]
    public void Folder_goes_with_its_owner_and_what_it_holds()
    {
        var folder = ScratchFolder.Create();
        File.WriteAllText(Path.Combine(folder.Path, "a"), "a");

        folder.Dispose();

        Assert.That(folder.Path, Does.Not.Exist);
    }

    [Test]
    public void Folders_in_use_stay_when_another_is_made()
    {
        using var first = ScratchFolder.Create();
        using var second = ScratchFolder.Create();

        Assert.That(first.Path, Does.Exist);
        Assert.That(second.Path, Is.Not.EqualTo(first.Path));
    }

    [Test]
    public void What_a_killed_owner_left_goes_when_another_is_made()
    {
        var left = Directory.CreateTempSubdirectory("lorta-scratch-").FullName;
        foreach (var name in new[] { "lock", "0.weights" }) File.WriteAllText(Path.Combine(left, name), string.Empty);

        using var folder = ScratchFolder.Create();

        Assert.That(left, Does.Not.Exist);
    }
}
