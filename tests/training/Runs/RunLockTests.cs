using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class RunLockTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void The_second_one_is_told_who_has_the_folder_until_it_is_let_go()
    {
        using (RunLock.Take(_folder["run"], TimeProvider.System))
        {
            var failure = Assert.Throws<LortaException>(() => RunLock.Take(_folder["run"], TimeProvider.System).Dispose())!;

            Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT625", false)));
            Assert.That(failure.Message, Does.Match($"run: is in use by process {Environment.ProcessId} on .+ since \\d{{4}}-\\d\\d-\\d\\d .+Z\\.$"));
            Assert.That(() => RunLock.RefuseInUse(_folder["run"]), Throws.TypeOf<LortaException>());
            Assert.That(_folder.Entries, Is.EqualTo(new[] { "run", "run/run.lock" }));
        }

        Assert.That(() => RunLock.RefuseInUse(_folder["run"]), Throws.Nothing);
        RunLock.Take(_folder["run"], TimeProvider.System).Dispose();
    }

    [Test]
    public void A_lock_that_nobody_holds_is_taken_over()
    {
        Directory.CreateDirectory(_folder["run"]);
        _folder.Write("run/run.lock", "process 1 on elsewhere since long ago");

        Assert.That(() => RunLock.RefuseInUse(_folder["run"]), Throws.Nothing);
        using (RunLock.Take(_folder["run"], TimeProvider.System)) Assert.That(File.Exists(_folder["run", "run.lock"]));
    }

    [Test]
    public void A_folder_that_was_made_for_the_lock_goes_with_it_and_another_stays()
    {
        RunLock.Take(_folder["empty"], TimeProvider.System).Dispose();
        foreach (var name in new[] { "made", "run" }) Directory.CreateDirectory(_folder[name]);
        _folder.Write("run/notes", "mine");

        foreach (var name in new[] { "made", "run" }) RunLock.Take(_folder[name], TimeProvider.System).Dispose();

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "made", "run", "run/notes" }));
    }
}
