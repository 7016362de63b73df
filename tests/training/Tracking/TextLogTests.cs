using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Tests.Tracking;

internal sealed class TextLogTests
{
    [Test]
    public void A_note_has_the_time_and_a_resumed_run_goes_on_in_the_file()
    {
        var path = Path.GetTempFileName();
        foreach (var note in new[] { "started", "resumed" })
        {
            using var log = new TextLog(path, new StoppedClock());
            log.Note(note);
        }

        Assert.That(File.ReadAllText(path), Is.EqualTo("2025-01-02 03:04:05Z  started\n2025-01-02 03:04:05Z  resumed\n"));
        File.Delete(path);
    }

    [Test]
    public void A_step_is_told_in_one_line() => Assert.That(
        Phrases.Of(new StepEvent { Step = 3, Steps = 9, Loss = 0.25, LearningRate = 1e-3, SamplesPerSecond = 12.34, TokensPerSecond = 800, MemoryBytes = 250_000_000, SecondsLeft = 125 }),
        Is.EqualTo("step 3/9  loss 0.2500  lr 1e-3  12.3 samples/s  800 tokens/s  250 MB  2:05 left"));

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2025, 1, 2, 3, 4, 5, TimeSpan.Zero);
    }
}
