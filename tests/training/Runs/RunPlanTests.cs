using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class RunPlanTests
{
    [TestCase(10, 1, 3, null, 30)]
    [TestCase(10, 4, 3, null, 9)]     // ⌈10/4⌉ a pass
    [TestCase(8, 4, 3, null, 6)]
    [TestCase(10, 4, 3, 50, 50)]
    public void Steps_follow_from_epochs_unless_they_are_given(int batches, int accumulation, int epochs, int? steps, int expected)
    {
        var plan = RunPlan.Of(new FitOptions { Accumulation = accumulation, Epochs = epochs, Steps = steps }, batches);

        Assert.That(plan.Steps, Is.EqualTo(expected));
    }

    [Test]
    public void Step_never_spans_two_epochs()
    {
        var plan = RunPlan.Of(new FitOptions { Accumulation = 2 }, batchesPerEpoch: 3);

        var groups = plan.Groups(Batches(epochs: 2, perEpoch: 3)).Select(group => group.Count);

        Assert.That(groups, Is.EqualTo(new[] { 2, 1, 2, 1 }));
    }

    [Test]
    public void Groups_are_made_as_they_are_asked_for()
    {
        var made = 0;
        var plan = RunPlan.Of(new FitOptions { Accumulation = 2 }, batchesPerEpoch: 4);

        var first = plan.Groups(Batches(9, 4).Select(batch => (++made, batch).batch)).First();

        Assert.That((first.Count, made), Is.EqualTo((2, 2)));
    }

    [TestCase(9, 0, ExpectedResult = false)]
    [TestCase(10, 0, ExpectedResult = true)]
    [TestCase(4, 2, ExpectedResult = false)]
    [TestCase(4, 3, ExpectedResult = true)]
    public bool Run_is_done_at_its_last_step_or_out_of_patience(int step, int waited) =>
        RunPlan.Of(new FitOptions { Steps = 10, EarlyStop = new EarlyStop { Patience = 3 } }, 5).IsDone(new RunState { Step = step, Waited = waited });

    [Test]
    public void Without_early_stop_patience_is_endless() => Assert.That(RunPlan.Of(new FitOptions { Steps = 10 }, 5).IsDone(new RunState { Step = 4, Waited = 99 }), Is.False);

    [Test]
    public void Evaluations_and_checkpoints_have_intervals_of_their_own()
    {
        var plan = RunPlan.Of(new FitOptions { EvaluateEvery = Interval.Every(3), SaveEvery = Interval.Epoch }, 5);

        Assert.That((plan.Evaluates(At(3, 1)), plan.Evaluates(At(4, 0)), plan.Saves(At(3, 1)), plan.Saves(At(4, 0))), Is.EqualTo((true, false, false, true)));
    }

    [TestCase(0, ExpectedResult = 4)]    // 3, 6, 9, and the last step
    [TestCase(3, ExpectedResult = 3)]
    [TestCase(9, ExpectedResult = 1)]
    [TestCase(10, ExpectedResult = 0)]
    public long Evaluations_to_come_are_counted(long step) =>
        RunPlan.Of(new FitOptions { Steps = 10, EvaluateEvery = Interval.Every(3) }, 5).EvaluationsAfter(step);

    [TestCase(0, ExpectedResult = 2)]    // the last step ends the second epoch
    [TestCase(5, ExpectedResult = 1)]
    public long Evaluations_at_the_ends_of_epochs_are_counted(long step) =>
        RunPlan.Of(new FitOptions { Steps = 10, EvaluateEvery = Interval.Epoch }, 5).EvaluationsAfter(step);

    internal static Batch Batch(int rows = 1, long tokens = 1, DataPosition next = default) => new(new Dictionary<string, OnnxTensor>(), rows, length: 1, tokens) { Next = next };

    private static RunState At(long step, int batch) => new() { Step = step, Position = new DataPosition(0, batch) };

    private static IEnumerable<Batch> Batches(int epochs, int perEpoch) =>
        from epoch in Enumerable.Range(0, epochs)
        from index in Enumerable.Range(1, perEpoch)
        select Batch(next: index == perEpoch ? new DataPosition(epoch + 1, 0) : new DataPosition(epoch, index));
}
