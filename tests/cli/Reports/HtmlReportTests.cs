using System.Xml.Linq;
using LoRTA.Onnx.Cli.Reports;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Cli.Tests.Reports;

internal sealed class HtmlReportTests
{
    private static readonly RunRecord Run = new(
        new Recipe { Model = "/m/<minilm>", Task = "classification", Data = new() { Train = "t.tsv" } },
        ["tokens in a row: median 5"])
    {
        Lines =
        [
            new(string.Empty, null, new() { Step = 0, Loss = 0.9, Metrics = new Dictionary<string, double> { ["accuracy"] = 0.5 } }),
            new(string.Empty, new() { Step = 1, Steps = 2, Loss = 0.7, LearningRate = 1e-3, GradNorm = 2 }, null),
            new(string.Empty, new() { Step = 2, Steps = 2, Loss = 0.5, LearningRate = 5e-4, GradNorm = 1 }, null),
            new(string.Empty, null, new() { Step = 2, Loss = 0.6, Metrics = new Dictionary<string, double> { ["accuracy"] = 0.75 } }),
        ],
        Result = new() { Steps = 2, Loss = 0.6, TrainingLoss = 0.5, Adapter = "run/adapter", Data = new() { Rows = 1, Cut = 0, TokensCut = 0, WithoutLabel = 0, Empty = 0 } },
        Environment = new("X64, 2 cores", "Linux", ".NET 10", "ONNX Runtime 1", "cpu", 2),
        Adapter = "lorta, rank 8",
    };

    [Test]
    public void Page_plots_loss_learning_rate_gradient_norm_and_each_metric()
    {
        var captions = Figures(HtmlReport.Text(Run)).Select(figure => figure.Element("figcaption")!.Value);

        Assert.That(captions, Is.EqualTo(new[] { "Loss", "Learning rate", "Gradient norm, before clipping", "accuracy on the validation data" }));
    }

    [Test]
    public void Page_refers_to_no_other_file() =>
        Assert.That(HtmlReport.Text(Run), Does.Not.Contain("src=").And.Not.Contain("href=").And.Not.Contain("@import").And.Not.Match(@"url\((?!#)"));

    [Test]
    public void Names_are_text_and_never_markup() =>
        Assert.That(HtmlReport.Text(Run), Does.Contain("&lt;minilm&gt;").And.Not.Contain("<minilm>"));

    [Test]
    public void Plot_without_finite_numbers_is_left_out()
    {
        var diverged = Run with { Lines = [new(string.Empty, new() { Step = 1, Steps = 2, Loss = double.NaN, LearningRate = 1e-3, GradNorm = null }, null)] };

        Assert.That(Figures(HtmlReport.Text(diverged)).Select(figure => figure.Element("figcaption")!.Value), Is.EqualTo(new[] { "Learning rate" }));
    }

    [TestCase(true, "-o merged --verify", "-o adapted --keep-base --verify")]
    [TestCase(false, "-o adapted --keep-base --verify", "-o merged --verify")]
    public void Page_exports_the_adapter_in_the_way_that_it_can_be(bool folds, string shown, string other) =>
        Assert.That(HtmlReport.Text(Run with { Folds = folds }), Does.Contain(shown).And.Not.Contain(other));

    [Test]
    public void Page_measures_again_only_where_there_are_validation_data()
    {
        var withData = Run with { Recipe = Run.Recipe with { Data = new() { Train = "t.tsv", ValidationFraction = 0.1 } } };

        Assert.That(HtmlReport.Text(withData), Does.Contain("lorta evaluate"));
        Assert.That(HtmlReport.Text(Run), Does.Not.Contain("lorta evaluate"));
    }

    [Test]
    public void Page_shows_the_command_that_continues_a_run_as_code() =>
        Assert.That(
            HtmlReport.Text(Run with { Ending = "Stopped. Continue with:", ToContinue = "lorta train \"a b.yaml\" --resume" }),
            Does.Contain("<p class=\"ending\">Stopped. Continue with:</p>\n<pre>lorta train &quot;a b.yaml&quot; --resume</pre>\n"));

    [Test]
    public void Ids_are_unique_in_the_page() =>
        Assert.That(Figures(HtmlReport.Text(Run)).SelectMany(figure => figure.Descendants()).Select(element => (string?)element.Attribute("id")).OfType<string>(),
            Is.Not.Empty.And.Unique);

    private static IEnumerable<XElement> Figures(string page) =>
        page.Split("<figure>").Skip(1).Select(part => XElement.Parse($"<figure>{part[..part.IndexOf("</figure>", StringComparison.Ordinal)]}</figure>"));
}
