using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>What a run does to a folder that another run left or holds.</summary>
internal sealed class ExistingRunTests
{
    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [Test]
    public void Existing_run_is_refused_and_stays()
    {
        _run.Train("run", "train.steps=1");
        var before = _run.Adapter("run");

        var failure = Assert.Throws<LortaException>(() => _run.Train("run", "train.steps=1", "seed=9"))!;

        Assert.That(failure.Code, Is.EqualTo("LRT102"));
        Assert.That(_run.Adapter("run"), Is.EqualTo(before));
    }

    [Test]
    public void Forced_run_replaces_the_files_of_a_run_and_no_others()
    {
        _run.Train("run", "train.steps=1");
        File.WriteAllText(_run["run", "notes.txt"], "mine");
        var before = _run.Adapter("run");

        TinyRun.Train(_run.Request("run", "train.steps=2", "seed=9") with { Force = true }, Progress.None);

        Assert.That(_run.Adapter("run"), Is.Not.EqualTo(before));
        Assert.That(File.ReadAllText(_run["run", "notes.txt"]), Is.EqualTo("mine"));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    public void A_second_process_is_refused_while_a_run_goes_on(bool force, bool resume)
    {
        LortaException? refused = null;
        using var during = Progress.After(1, () => refused = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run", "seed=9") with { Force = force, Resume = resume }, Progress.None)));

        TinyRun.Train(_run.Request("run"), during);

        Assert.That(refused!.Code, Is.EqualTo("LRT625"));
        Assert.That(_run.Adapter("run"), Is.EqualTo(TinyRun.Uninterrupted));
    }
}
