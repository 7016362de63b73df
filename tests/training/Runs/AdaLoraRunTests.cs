using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>AdaLoRA with its allocator in whole runs: 6 matrices of rank 4 that come down to 2, the last mask after step 5 of 6.</summary>
internal sealed class AdaLoraRunTests
{
    private static readonly string[] Settings =
    [
        "adapter.method=adalora", "adapter.rank=4", "adapter.options.target=2", "adapter.options.tinit=1", "adapter.options.tfinal=1", "adapter.options.deltaT=2",
    ];

    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [Test]
    public void Saved_adapter_has_the_triplets_that_the_target_leaves()
    {
        Train("run");

        Assert.That(Triplets(_run["run", "adapter", "adapter_model.safetensors"]), Is.EqualTo(12));
    }

    [TestCase(1, 24)]   // nothing is masked
    [TestCase(2, 17)]   // 12 + 12·(3/4)³
    [TestCase(3, 24)]   // no mask at an odd step: masked triplets have moved on
    [TestCase(5, 12)]
    [TestCase(6, 12)]
    public void Every_step_leaves_the_triplets_of_its_budget(int step, int triplets)
    {
        using var stop = Progress.StopAfter(step);
        TinyRun.Train(_run.Request("run", Settings), stop);

        Assert.That(Triplets(_run["run", "checkpoints", $"step-{step:00000000}.safetensors"]), Is.EqualTo(triplets));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    [TestCase(5)]
    [TestCase(6)]
    public void Killed_and_resumed_run_ends_in_the_same_bytes(int step)
    {
        Train("whole");

        using var kill = Progress.KillAt(step);
        Assert.Throws<KilledException>(() => TinyRun.Train(_run.Request("run", Settings), kill));
        TinyRun.Train(_run.Request("run", Settings) with { Resume = true }, Progress.None);

        Assert.That(_run.Adapter("run"), Is.EqualTo(_run.Adapter("whole")));
    }

    [Test]
    public void Run_that_is_too_short_is_refused_before_it_begins()
    {
        var failure = Assert.Throws<LortaException>(() => _run.Train("run", [.. Settings, "adapter.options.tinit=5"]))!;

        Assert.That(failure.Message, Is.EqualTo("adapter.options.tfinal: tinit + tfinal must be < the 6 steps of the run, was 5 + 1."));
        Assert.That(Directory.Exists(_run["run"]), Is.False);
    }

    private void Train(string output) => _run.Train(output, Settings);

    private static int Triplets(string file) => Safetensors.Load(file).Tensors
        .Where(tensor => tensor.Key.StartsWith("layers.", StringComparison.Ordinal) && tensor.Key.EndsWith(".E", StringComparison.Ordinal))
        .Sum(tensor => tensor.Value.ToFloats().Count(value => value != 0));
}
