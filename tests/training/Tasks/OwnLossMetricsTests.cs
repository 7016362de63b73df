using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using static LoRTA.Onnx.Training.Tests.SampleTrainer;

namespace LoRTA.Onnx.Training.Tests.Tasks;

internal sealed class OwnLossMetricsTests
{
    private static readonly ILoss Classification = LortaCatalog.Default.Losses.Single(loss => loss.Name == "classification");

    [Test]
    public void A_loss_is_measured_by_the_metrics_that_it_names()
    {
        using var ordinary = Open();
        using var own = OpenWith("accuracy", "f1");

        var (expected, measured) = (ordinary.Evaluate(Batches).Metrics, own.Evaluate(Batches).Metrics);

        Assert.That(measured.Keys, Is.EqualTo(new[] { "accuracy", "f1" }));
        Assert.That(measured["accuracy"], Is.EqualTo(expected["accuracy"]));
    }

    [Test]
    public void The_best_state_may_be_that_of_a_metric_of_ones_own_loss()
    {
        using var trainer = OpenWith("accuracy");

        var report = trainer.Fit(Batches, Fit with { KeepBest = "accuracy", Validation = () => Batches });

        Assert.That(report.Metrics["accuracy"], Is.EqualTo(trainer.Evaluate(Batches).Metrics["accuracy"]));
    }

    [TestCase("rouge")]
    [TestCase("accuracy", "pearson")]
    public void Metrics_that_no_task_has_together_are_refused(params string[] metrics)
    {
        using var trainer = OpenWith(metrics);

        Assert.That(() => trainer.Evaluate(Batches), Throws.InvalidOperationException.With.Message.StartsWith(
            $"The loss 'own' asks for {string.Join(", ", metrics)}, which no task has together; there are perplexity, tokenAccuracy"));
    }

    [Test]
    public void Metrics_of_a_loss_without_scores_are_refused()
    {
        var blind = Loss.Of("blind", call => new LossValue(Classification.Emit(call).Loss), "accuracy");
        var engine = new OrtEngine(new() { Threads = 1, Catalog = LortaCatalog.Default.With(blind) });

        Assert.That(() => Open(engine: engine, task: "blind"), Throws.InvalidOperationException.With.Message.EqualTo(
            "The loss 'blind' asks for accuracy, but gives no scores."));
    }

    private static AdapterTrainer OpenWith(params string[] metrics)
    {
        var catalog = LortaCatalog.Default.With(Loss.Of("own", Classification.Emit, metrics));
        return Open(engine: new OrtEngine(new() { Threads = 1, Catalog = catalog }), task: "own");
    }
}
