using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class AtomicFolderTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder()
    {
        FileSteps.Before = null;
        _folder.Dispose();
    }

    [Test]
    public void A_folder_of_ours_is_replaced_whole()
    {
        AtomicFolder.Write(_folder["out"], name => name is "a" or "b", folder => File.WriteAllText(Path.Combine(folder, "a"), "1"));

        AtomicFolder.Write(_folder["out"], name => name is "a" or "b", folder => File.WriteAllText(Path.Combine(folder, "b"), "2"));

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "out", "out/b" }));
    }

    [TestCase("mine.txt")]
    [TestCase("below/a")]
    public void A_folder_that_holds_something_else_stays_as_it_is(string other)
    {
        Directory.CreateDirectory(_folder["out", "below"]);
        File.WriteAllText(_folder["out", other], "mine");
        var before = _folder.Entries;

        var failure = Assert.Throws<LortaException>(() => AtomicFolder.Write(_folder["out"], name => name is "a", folder => File.WriteAllText(Path.Combine(folder, "a"), "1")))!;

        Assert.That((failure.Code, failure.IsUsage, failure.Message.Contains($"'{other}'", StringComparison.Ordinal)), Is.EqualTo(("LRT107", true, true)));
        Assert.That(_folder.Entries, Is.EqualTo(before));
    }

    [Test]
    public void A_link_to_a_folder_stays_and_its_folder_is_replaced()
    {
        Directory.CreateDirectory(_folder["real"]);
        Directory.CreateSymbolicLink(_folder["out"], "real");

        AtomicFolder.Write(_folder["out"], name => name is "a", folder => File.WriteAllText(Path.Combine(folder, "a"), "1"));

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "out", "real", "real/a" }).Or.EqualTo(new[] { "out", "out/a", "real", "real/a" }));
        Assert.That(new DirectoryInfo(_folder["out"]).LinkTarget, Is.EqualTo("real"));
    }

    [TestCase("a", true)]
    [TestCase("a", false)]
    public void What_only_looks_like_a_file_of_ours_is_not_deleted(string name, bool isLink)
    {
        Directory.CreateDirectory(_folder["out"]);
        if (isLink) File.CreateSymbolicLink(_folder["out", name], _folder.Write("mine", "mine"));
        else Directory.CreateDirectory(_folder["out", name, "below"]);
        if (!isLink) _folder.Write("out/a/below/file", "mine");

        Assert.That(() => AtomicFolder.Write(_folder["out"], file => file == name, _ => { }), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT107"));
    }

    [Test]
    public void What_a_killed_process_left_goes_with_the_next_write_and_what_it_put_aside_comes_back()
    {
        Directory.CreateDirectory(_folder["lorta-0123456789abcdef.tmp"]);
        Directory.CreateDirectory(_folder["lorta-0123456789abcdef.old"]);
        _folder.Write("lorta-0123456789abcdef.old/a", "before");
        _folder.Write("lorta-0123456789abcdef.lock", "other");
        _folder.Write("lorta-fedcba9876543210.tmp", "half");

        AtomicFolder.Write(_folder["out"], name => name is "a", folder => File.WriteAllText(Path.Combine(folder, "a"), "1"));

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "other", "other/a", "out", "out/a" }));
    }

    [Test]
    public void What_a_living_process_writes_stays()
    {
        AtomicFolder.Write(_folder["out"], _ => true, folder =>
        {
            AtomicFolder.Write(_folder["second"], _ => true, _ => { });
            AtomicFile.WriteText(_folder["third"], "3");
            File.WriteAllText(Path.Combine(folder, "a"), "1");
        });

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "out", "out/a", "second", "third" }));
    }

    [Test]
    public void A_folder_that_is_removed_is_whole_until_it_is_gone([Range(1, 4)] int step)
    {
        Directory.CreateDirectory(_folder["out"]);
        foreach (var name in new[] { "out/a", "out/b" }) _folder.Write(name, "mine");
        var steps = 0;
        FileSteps.Before = () => _ = ++steps == step ? throw new IOException("ended here") : 0;
        Assert.That(() => AtomicFolder.Delete(_folder["out"]), Throws.TypeOf<IOException>());
        FileSteps.Before = null;

        var left = _folder.Entries.Where(name => name.StartsWith("out", StringComparison.Ordinal));
        Assert.That(left, Is.EqualTo(step <= 2 ? ["out", "out/a", "out/b"] : Array.Empty<string>()));
        AtomicFile.WriteText(_folder["next"], "written");
        Assert.That(_folder.Entries.Where(name => name.Contains("lorta-", StringComparison.Ordinal)), Is.Empty);
    }

    // Whoever cleans up may take a lock file between its creation and its lock.
    [Test]
    public void A_folder_is_written_while_others_clean_up()
    {
        using var stop = new CancellationTokenSource();
        var cleaning = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested) Leftovers.Remove(_folder.Path);
        });

        for (var i = 0; i < 1000; i++) AtomicFolder.Write(_folder["out"], name => name is "a", folder => File.WriteAllText(Path.Combine(folder, "a"), "1"));

        stop.Cancel();
        cleaning.Wait();
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "out", "out/a" }));
    }

    [Test]
    public void What_fails_leaves_nothing()
    {
        Assert.That(() => AtomicFolder.Write(_folder["out"], name => name is "a", _ => throw new IOException("No space left on device.")), Throws.TypeOf<LortaException>());

        Assert.That(_folder.Entries, Is.Empty);
    }
}
