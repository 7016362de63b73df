using System.Globalization;
using System.Text;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Renders <c>docs/exporters.md</c>. It holds verdicts against limits, no measured numbers: those differ between machines.</summary>
internal static class ExportersPage
{
    // The narrowest of these that a difference keeps is printed.
    private static readonly double[] Limits = [1e-5, 5e-3];

    // The same for the rounding of weights, relative to the largest number of a weight.
    private static readonly double[] RoundingLimits = [1e-3, 2e-2, 2e-1];

    private const string Introduction = """
        # Exporters

        What the tested exporters write, and what works on it. This page is written by a test, `ExportersPageTests`, from what the library finds and computes on each file; the test fails when the page says anything else.

        ## What they write

        How the weights of the q, k, v and p projections, and of the gate, up and down matrices of MLPs, are stored: the operators from the weight to the product, and the type where it is not float32. *Packed*: several matrices in one stored tensor.


        """;

    private const string Verdicts = """

        ## What works

        * **inspect**: node, operator, stored weight, layout, columns, heads and bias of every projection equal a golden that was found by value, not by name; *findings* are places that were not understood.
        * **gradients**: loss, gradients, AdamW steps and ΔW against PyTorch in float64 for the named golden: loss and ΔW within 1e-5, gradients and steps within 1e-4. Where there is no golden: gradients against central differences.
        * **folded**: logits of the folded file against base + adapter, relative to the largest. Where weights are quantised, they are quantised again in the file's own blocks and the rounding that `lorta export` states is bounded instead, relative to the largest number of a weight.
        * **kept base**: the same for `lorta export --keep-base`, which leaves every stored number as it is.

        Differences are ≤ 1e-5 where files compute in float32, and ≤ 5e-3 where weights or arithmetic have 16 bits. Files that round activations when they run (int8, 4-bit at accuracy level 4) are compared on their canonical graphs, which do not. LoRA on all linear layers, those of the MLP included, is held to the same limits on each file by `AllLinearTests`.


        """;

    private const string Families = """

        ## Model families

        Small graphs with random weights whose attention (`mlp-…`: whose MLP) is spelled as the named families spell theirs, exported by PyTorch (`tests/fixtures/architectures`). Gradients are held against central differences; *findings* are layers, projections or products that are left alone, by name.


        """;

    /// <summary>The page.</summary>
    /// <param name="facts">Exports of trained models.</param>
    /// <param name="families">Graphs of model families.</param>
    public static string Render(IReadOnlyList<ExporterFacts> facts, IReadOnlyList<ExporterFacts> families)
    {
        var page = new StringBuilder(Introduction.ReplaceLineEndings("\n"));
        Table(page, ["file", "producer", "opset", "weights of attention", "weights of the MLP"], facts, file => [$"`{file.Name}`", Producer(file), Opsets(file), string.Join("; ", file.Forms), Mlp(file)]);
        page.Append(Verdicts.ReplaceLineEndings("\n"));
        Table(page, ["file", "inspect", "findings", "gradients", "folded", "kept base"], facts, file =>
            [$"`{file.Name}`", Mark(file.IsAsExpected), $"{file.Inspection.Findings.Count}", Gradients(file.Works!), Folded(file.Works!.Folded), Within(file.Works.Beside, Limits)]);
        page.Append(Families.ReplaceLineEndings("\n"));
        Table(page, ["family", "weights of attention", "weights of the MLP", "findings", "gradients", "folded", "kept base"], families, family => family.Works is { } works
            ? [family.Name, string.Join("; ", family.Forms), Mlp(family), Findings(family), Mark(works.Gradients.IsOk), Within(works.Folded.Difference, Limits), Within(works.Beside, Limits)]
            : [family.Name, family.IsAsExpected ? "refused" : "✗", Mlp(family), Findings(family), "–", "–", "–"]);
        return page.ToString();
    }

    private static string Findings(ExporterFacts family) => family.Inspection.Findings switch
    {
        [] => "none",
        [var only] => only.Reason,
        [var first, ..] all => $"{first.Reason}; and {all.Count - 1} more",
    };

    private static string Mlp(ExporterFacts file) => file.MlpForms.Count > 0 ? string.Join("; ", file.MlpForms) : "–";

    private static string Producer(ExporterFacts file) => file.Inspection.Producer.Length > 0 ? file.Inspection.Producer : "not named";

    private static string Opsets(ExporterFacts file) =>
        string.Join(", ", file.Inspection.Opsets.Where(opset => opset.Key is "ai.onnx").Select(opset => $"{opset.Value}"));

    private static string Gradients(WorkingFacts works) => $"{works.Gradients.Golden ?? "central differences"} {Mark(works.Gradients.IsOk)}";

    private static string Folded(FoldFacts fold) => fold.Rounding is { Bits: < 16 } rounding
        ? $"{rounding.Type}: rounding {Within(rounding.MaxRel, RoundingLimits)}"
        : Within(fold.Difference, Limits);

    private static string Within(double difference, double[] limits) =>
        limits.Where(limit => difference <= limit).Select(limit => string.Create(CultureInfo.InvariantCulture, $"≤ {limit:0e-0} ✓")).FirstOrDefault("✗");

    private static string Mark(bool isOk) => isOk ? "✓" : "✗";

    private static void Table(StringBuilder page, string[] heads, IEnumerable<ExporterFacts> rows, Func<ExporterFacts, string[]> cells)
    {
        page.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", heads)} |\n| {string.Join(" | ", heads.Select(_ => "---"))} |\n");
        foreach (var row in rows) page.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells(row))} |\n");
    }
}
