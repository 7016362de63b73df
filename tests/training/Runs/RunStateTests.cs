using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class RunStateTests
{
    private static readonly TrainingTask Task = TrainingTasks.Find("classification")!;

    [Test]
    public void Next_counts_the_step_and_moves_to_the_end_of_its_last_batch()
    {
        var run = new RunState { Step = 4 };

        var next = run.Next([RunPlanTests.Batch(2, tokens: 7, next: new(0, 8)), RunPlanTests.Batch(3, tokens: 5, next: new(1, 0))], loss: 0.5);

        Assert.That((next.Step, next.Position, next.Loss), Is.EqualTo((5L, new DataPosition(1, 0), 0.5)));
    }

    [TestCase("loss", new[] { 3.0, 2, 4, 2, 1 }, 5, 0)]
    [TestCase("loss", new[] { 3.0, 2, 4, 2, 5 }, 2, 3)]        // an equal loss is no improvement
    [TestCase("accuracy", new[] { 0.5, 0.7, 0.6 }, 2, 1)]
    public void Best_evaluation_is_kept_and_those_since_are_counted(string metric, double[] values, int bestStep, int waited)
    {
        var run = new RunState();
        foreach (var value in values) run = (run with { Step = run.Step + 1 }).Judge(Record(run.Step + 1, value), metric, Task);

        Assert.That((run.BestStep, run.Best, run.Waited), Is.EqualTo(((long?)bestStep, (double?)values[bestStep - 1], waited)));
    }

    [Test]
    public void Without_a_metric_nothing_is_best()
    {
        var run = new RunState { Step = 1 }.Judge(Record(1, 0.5), metric: null, Task);

        Assert.That((run.BestStep, run.Evaluation!.Loss), Is.EqualTo(((long?)null, 0.5)));
    }

    private static EvaluationEvent Record(long step, double value) => new() { Step = step, Loss = value, Metrics = new Dictionary<string, double> { ["accuracy"] = value } };
}
