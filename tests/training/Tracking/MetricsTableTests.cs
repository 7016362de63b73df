using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Tests.Tracking;

internal sealed class MetricsTableTests
{
    [Test]
    public void Steps_and_evaluations_share_the_columns_that_both_have()
    {
        MetricsLine[] lines =
        [
            new(string.Empty, new() { Step = 1, Steps = 2, Epoch = 0.5, Loss = 0.75, LearningRate = 1e-3, MemoryBytes = 7 }, null),
            new(string.Empty, null, new() { Step = 1, Loss = 0.5, Metrics = new Dictionary<string, double> { ["accuracy"] = 0.25 } }),
        ];

        Assert.That(MetricsTable.Text(lines), Is.EqualTo(
            "kind,step,epoch,loss,learningRate,gradNorm,samplesPerSecond,tokensPerSecond,memoryBytes,accuracy\n"
            + "step,1,0.5,0.75,0.001,,0,0,7,\n"
            + "evaluation,1,,0.5,,,,,,0.25\n"));
    }
}
