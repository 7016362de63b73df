using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Tests.Tracking;

internal sealed class RunReportTests
{
    private static readonly Recipe Recipe = new() { Model = "/m/minilm", Task = "classification", Data = new() { Train = "t.tsv" } };
    private static readonly RunEnvironment Environment = new("X64, 2 cores", "Linux", ".NET 10", "ONNX Runtime 1", "cpu", 2);

    private static readonly TrainingReport Result = new()
    {
        Steps = 2,
        Loss = 0.6,
        TrainingLoss = 0.5,
        Seconds = 65,
        Trainable = 3960,
        Adapter = "run/adapter",
        Data = new() { Rows = 1200, Cut = 7, TokensCut = 31, WithoutLabel = 1, Empty = 2, MaxLength = 128 },
    };

    [Test]
    public void It_tells_result_course_evaluations_and_environment()
    {
        MetricsLine[] lines =
        [
            new(string.Empty, new() { Step = 1, Steps = 2, Epoch = 0.5, Loss = 0.7, LearningRate = 1e-3 }, null),
            new(string.Empty, new() { Step = 2, Steps = 2, Epoch = 1, Loss = 0.5, LearningRate = 5e-4, GradNorm = 2 }, null),
            new(string.Empty, null, new() { Step = 2, Loss = 0.6, Metrics = new Dictionary<string, double> { ["accuracy"] = 0.8125 } }),
        ];

        var text = RunReport.Text(Run(Result, lines));

        Assert.Multiple(() =>
        {
            Assert.That(text, Does.StartWith("# lorta on minilm: classification\n"));
            Assert.That(text, Does.Contain("| learning rate | 1e-3 |\n| schedule | linear, warm-up over 6 % of the steps |\n| batch | 16 rows |\n"));
            Assert.That(text, Does.Contain("* tokens in a row: median 5\n"));
            Assert.That(text, Does.Contain("| trainable parameters | 3,960 |\n").And.Contain("| time | 1:05 |\n"));
            Assert.That(text, Does.Contain("`█▁`").And.Contain("| 2 | 1.00 | 0.5 | 5e-4 | 2 |\n"));
            Assert.That(text, Does.Contain("| step | loss | accuracy |\n| --- | --- | --- |\n| 2 | 0.6 | 0.8125 |\n"));
            Assert.That(text, Does.Contain("| data | t.tsv: 1,200 entries, 7 cut to 128 tokens (31 tokens lost), 1 entry dropped since no label is left to learn, 2 with an empty text |\n"));
            Assert.That(text, Does.Contain("| device | cpu, 2 threads |"));
        });
    }

    [Test]
    public void Without_validation_data_the_loss_is_that_of_training_only()
    {
        var text = RunReport.Text(Run(Result with { Loss = null }));

        Assert.That(text, Does.Contain("| loss | – (no validation data) |\n| training loss, last step | 0.5 |\n"));
    }

    [Test]
    public void Warnings_go_before_the_numbers()
    {
        var text = RunReport.Text(Run(Result with { Warnings = ["The head stays frozen."] }));

        Assert.That(text, Does.Contain("**Warning:** The head stays frozen.\n\n|  |  |"));
    }

    [Test]
    public void A_run_that_was_stopped_says_so_first_and_tells_where_its_loss_was_measured()
    {
        var run = Run(Result with { Steps = 30, PlannedSteps = 300, LossStep = 20 }) with { Ending = "Stopped at step 30 of 300." };

        var text = RunReport.Text(run);

        Assert.That(text, Does.Contain("classification\n\n**Stopped at step 30 of 300.**\n"));
        Assert.That(text, Does.Contain("| steps | 30 of 300 |\n| loss | 0.6 (after step 20) |\n"));
    }

    [Test]
    public void The_command_that_continues_a_run_is_a_block_of_code() =>
        Assert.That(
            RunReport.Text(Run(Result) with { Ending = "Stopped. Continue with:", ToContinue = "lorta train r.yaml --resume" }),
            Does.Contain("**Stopped. Continue with:**\n\n```sh\nlorta train r.yaml --resume\n```\n"));

    [Test]
    public void A_run_without_a_step_has_no_training_loss_and_no_speed() =>
        Assert.That(RunReport.Text(Run(Result with { Steps = 0, TrainingLoss = null })), Does.Not.Contain("training loss").And.Not.Contain("speed"));

    [Test]
    public void A_loss_that_was_not_measured_yet_does_not_deny_the_validation_data()
    {
        var run = Run(Result with { Loss = null });

        var text = RunReport.Text(run with { Recipe = run.Recipe with { Data = run.Recipe.Data with { ValidationFraction = 0.1 } } });

        Assert.That(text, Does.Contain("| loss | – (not measured yet) |"));
    }

    [Test]
    public void The_loss_of_the_base_stands_beside_that_of_the_adapter() =>
        Assert.That(RunReport.Text(Run(Result with { BaseLoss = 0.9 })), Does.Contain("| loss | 0.6 |\n| loss before the first step | 0.9 |\n"));

    [Test]
    public void A_long_course_is_thinned_to_the_width_and_keeps_its_ends() =>
        Assert.That(RunReport.Sparkline([.. Enumerable.Range(0, 1000).Select(i => (double)i)], 8), Is.EqualTo("▁▂▃▄▅▆▇█"));

    [Test]
    public void A_flat_course_is_flat() => Assert.That(RunReport.Sparkline([1, 1, double.NaN, 1]), Is.EqualTo("▁▁▁"));

    private static RunRecord Run(TrainingReport result, params MetricsLine[] lines) =>
        new(Recipe, ["tokens in a row: median 5"]) { Lines = lines, Result = result, Environment = Environment, Adapter = "lorta, rank 8" };
}
