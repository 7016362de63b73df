using LoRTA.Onnx.Training.Schedules;

namespace LoRTA.Onnx.Training.Tests.Schedules;

internal sealed class LearningRateScheduleTests
{
    [TestCase("constant", 1, 0.5)]
    [TestCase("constant", 2, 1)]
    [TestCase("constant", 10, 1)]
    [TestCase("linear", 1, 0.5)]
    [TestCase("linear", 2, 1)]
    [TestCase("linear", 3, 1)]
    [TestCase("linear", 7, 0.5)]
    [TestCase("linear", 10, 0.125)]
    [TestCase("cosine", 2, 1)]
    [TestCase("cosine", 3, 1)]
    [TestCase("cosine", 7, 0.5)]
    [TestCase("cosine", 9, 0.14644660940672624)]
    public void Ten_steps_with_two_of_warm_up(string name, long step, double expected)
    {
        var schedule = new LearningRateSchedule(new Schedule { Name = name, WarmupSteps = 2 }, steps: 10);

        Assert.That(schedule.At(step), Is.EqualTo(expected).Within(1e-15));
    }

    [TestCase(0.06, 100, ExpectedResult = 6)]
    [TestCase(0.07, 100, ExpectedResult = 7)]
    [TestCase(0.06, 101, ExpectedResult = 7)]
    [TestCase(0, 101, ExpectedResult = 0)]
    [TestCase(1, 5, ExpectedResult = 5)]
    public long A_warm_up_ratio_is_rounded_up(double ratio, long steps) => new LearningRateSchedule(new Schedule { WarmupRatio = ratio }, steps).WarmupSteps;

    [Test]
    public void Without_warm_up_the_first_step_is_full([Values("constant", "linear", "cosine")] string name) =>
        Assert.That(new LearningRateSchedule(new Schedule { Name = name, WarmupSteps = 0 }, 4).At(1), Is.EqualTo(1));

    [Test]
    public void Warm_up_may_take_the_whole_run([Values("constant", "linear", "cosine")] string name) =>
        Assert.That(new LearningRateSchedule(new Schedule { Name = name, WarmupSteps = 4 }, 4).At(4), Is.EqualTo(1));
}
