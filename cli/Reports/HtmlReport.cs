using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Tracking;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace LoRTA.Onnx.Cli.Reports;

/// <summary>The file <c>report.html</c> of a run: one page without references to other files, with the plots of <c>report.md</c>'s
/// numbers.</summary>
internal static partial class HtmlReport
{
    private const int MostPoints = 2000;
    private const double Width = 640;
    private const double Height = 240;

    private const string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 1320px; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
        h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em } .plots { display: flex; flex-wrap: wrap; gap: 1em }
        figure { margin: 0 } figcaption { font-weight: 600 } svg { max-width: 100%; height: auto }
        table { border-collapse: collapse } td, th { padding: .2em .8em .2em 0; text-align: left; vertical-align: top }
        tr + tr td { border-top: 1px solid #ddd } pre { background: #f5f5f5; padding: 1em; overflow-x: auto }
        .ending { background: #fff3cd; padding: .5em 1em }
        """;

    /// <summary>The page.</summary>
    /// <param name="run">The run.</param>
    public static string Text(RunRecord run)
    {
        var title = $"{run.Recipe.Adapter.Method} on {Path.GetFileName(run.Recipe.Model)}: {run.Recipe.Task}";
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">")
            .Append(CultureInfo.InvariantCulture, $"<title>{Escaped(title)}</title>\n");
        page.Append(CultureInfo.InvariantCulture, $"<style>\n{Style}\n</style></head>\n<body>\n<h1>{Escaped(title)}</h1>\n");
        if (run.Ending is { } ending) page.Append(CultureInfo.InvariantCulture, $"<p class=\"ending\">{Escaped(ending)}</p>\n");
        if (run.ToContinue is { } command) page.Append(CultureInfo.InvariantCulture, $"<pre>{Escaped(command)}</pre>\n");
        foreach (var warning in run.Result.Warnings)
            page.Append(CultureInfo.InvariantCulture, $"<p class=\"ending\">Warning: {Escaped(warning)}</p>\n");
        Section(page, "Result", Table(RunReport.Summary(run)));
        page.Append("<div class=\"plots\">\n").AppendJoin('\n', Plots(run)).Append("\n</div>\n");
        Section(page, "Before the first step", $"<ul>{string.Concat(run.Overview.Select(line => $"<li>{Escaped(line)}</li>"))}</ul>");
        Section(page, "What to do next", $"<pre>{Escaped(Next(run))}</pre>");
        Section(page, "Recipe", $"<pre>{Escaped(run.Recipe.ToYaml())}</pre>");
        Section(page, "Environment", Table(RunReport.Rows(run.Environment)));
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static string Next(RunRecord run)
    {
        var (recipe, result) = (run.Recipe, run.Result);
        var (what, name, kept) = run.Folds
            ? ("Fold the adapter into the model, and compare the result", "merged", string.Empty)
            : ($"Keep the adapter next to the weights, since {recipe.Adapter.Method} does not fold, and compare the result", "adapted",
                " --keep-base");
        var output = File.Exists(recipe.Model) ? $"{name}.onnx" : name;
        var export = $"""
            # {what} with base and adapter:
            lorta export {ShellPath.Quoted(recipe.Model)} --adapter {ShellPath.Quoted(result.Adapter!)} -o {output}{kept} --verify
            """;
        if (recipe.Data is { Validation: null, ValidationFraction: null }) return export;
        var recipeFile = Path.Combine(Path.GetDirectoryName(result.Adapter)!, "recipe.yaml");
        return $"""
            {export}
            # Measure the adapter again:
            lorta evaluate {ShellPath.Quoted(recipeFile)} --adapter {ShellPath.Quoted(result.Adapter!)}
            """;
    }

    private static IEnumerable<string> Plots(RunRecord run)
    {
        var steps = run.Steps;
        var evaluations = run.Evaluations;
        var losses = Points(steps, step => step.Loss);
        var held = evaluations.Select(evaluation => new DataPoint(evaluation.Step, evaluation.Loss)).ToList();
        yield return Plot("Loss", ("training", losses), ("validation", held));
        yield return Plot("Learning rate", ("learning rate", Points(steps, step => step.LearningRate)));
        yield return Plot("Gradient norm, before clipping", ("norm", Points(steps, step => step.GradNorm ?? double.NaN)));
        foreach (var name in evaluations.SelectMany(evaluation => evaluation.Metrics.Keys).Distinct(StringComparer.Ordinal))
        {
            yield return Plot($"{name} on the validation data", (name,
                [.. evaluations.Where(evaluation => evaluation.Metrics.ContainsKey(name))
                    .Select(evaluation => new DataPoint(evaluation.Step, evaluation.Metrics[name]))]));
        }
    }

    // Evenly picked, the last one always: a page of a million points opens in no browser.
    private static List<DataPoint> Points(IReadOnlyList<StepEvent> steps, Func<StepEvent, double> valueOf)
    {
        var every = Math.Max(1, steps.Count / MostPoints);
        return
        [
            .. steps.Where((step, i) => i % every == 0 || i == steps.Count - 1).Select(step => new DataPoint(step.Step, valueOf(step))),
        ];
    }

    private static string Plot(string title, params (string Name, List<DataPoint> Points)[] lines)
    {
        var drawn = lines.Where(line => line.Points.Exists(point => double.IsFinite(point.Y))).ToList();
        if (drawn.Count == 0) return string.Empty;
        var model = new PlotModel { PlotAreaBorderThickness = new OxyThickness(1, 0, 0, 1), IsLegendVisible = drawn.Count > 1 };
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "step", MajorGridlineStyle = LineStyle.None });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, MajorGridlineStyle = LineStyle.Dot });
        model.Legends.Add(new OxyPlot.Legends.Legend());
        foreach (var (name, points) in drawn)
        {
            var series = new LineSeries { Title = name, MarkerType = points.Count <= 20 ? MarkerType.Circle : MarkerType.None };
            series.Points.AddRange(points);
            model.Series.Add(series);
        }
        var document = new SvgExporter { Width = Width, Height = Height }.ExportToString(model);
        var svg = document[document.IndexOf("<svg", StringComparison.Ordinal)..];   // a page has no XML declaration inside
        var prefix = string.Concat(title.Where(char.IsLetterOrDigit));   // ids are those of the whole page
        return $"<figure><figcaption>{Escaped(title)}</figcaption>{ClipIds().Replace(svg, $"{prefix}-clip")}</figure>";
    }

    private static void Section(StringBuilder page, string title, string content) =>
        page.Append(CultureInfo.InvariantCulture, $"<h2>{Escaped(title)}</h2>\n{content}\n");

    private static string Table(IEnumerable<string[]> rows) =>
        $"<table>{string.Concat(rows.Select(Row))}</table>";

    private static string Row(string[] cells) =>
        $"<tr>{string.Concat(cells.Select(cell => $"<td>{Escaped(cell.Trim('`'))}</td>"))}</tr>";

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);

    [GeneratedRegex(@"clipPath(?=\d)")]
    private static partial Regex ClipIds();
}
