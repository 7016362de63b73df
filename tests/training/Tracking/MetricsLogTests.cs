using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Tests.Tracking;

internal sealed class MetricsLogTests
{
    private string _path = null!;

    [SetUp]
    public void CreateFolder() => _path = Path.Join(Directory.CreateTempSubdirectory("metrics").FullName, "metrics.jsonl");

    [TearDown]
    public void DeleteFolder() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Test]
    public void Each_record_is_a_line_of_json()
    {
        using (var log = MetricsLog.Open(_path, 0))
        {
            log.Step(Step(1));
            log.Evaluation(new() { Step = 1, Loss = 0.5, Metrics = new Dictionary<string, double> { ["tokenAccuracy"] = 0.25 } });
        }

        Assert.That(File.ReadAllLines(_path), Is.EqualTo(new[]
        {
            """{"kind":"step","step":1,"steps":9,"epoch":0,"loss":1,"learningRate":0,"samplesPerSecond":0,"tokensPerSecond":0,"memoryBytes":0}""",
            """{"kind":"evaluation","step":1,"loss":0.5,"metrics":{"tokenAccuracy":0.25}}""",
        }));
    }

    [Test]
    public void An_interrupted_and_resumed_run_has_the_lines_of_an_uninterrupted_one()
    {
        Log(fromStep: 0, 1, 2, 3, 4, 5);
        var uninterrupted = File.ReadAllText(_path);
        Log(fromStep: 0, 1, 2, 3, 4);
        File.AppendAllText(_path, """{"kind":"step","ste""");   // killed while writing step 5, the checkpoint is that of step 2

        Log(fromStep: 2, 3, 4, 5);

        Assert.That(File.ReadAllText(_path), Is.EqualTo(uninterrupted));
    }

    [Test]
    public void A_run_that_starts_anew_starts_an_empty_log()
    {
        Log(fromStep: 0, 1, 2);

        Log(fromStep: 0, 1);

        Assert.That(MetricsLog.Read(_path).Select(line => line.Step), Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void A_loss_that_is_no_number_is_logged_too()
    {
        using (var log = MetricsLog.Open(_path, 0)) log.Step(Step(1) with { Loss = double.NaN });

        Assert.That(MetricsLog.Read(_path)[0].StepEvent!.Loss, Is.NaN);
    }

    private static StepEvent Step(long step) => new() { Step = step, Steps = 9, Loss = 1.0 / step };

    private void Log(long fromStep, params long[] steps)
    {
        using var log = MetricsLog.Open(_path, fromStep);
        foreach (var step in steps) log.Step(Step(step));
    }
}
