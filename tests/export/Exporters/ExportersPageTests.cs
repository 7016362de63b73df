using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Holds <c>docs/exporters.md</c> against what the library finds and computes; with <c>LORTA_WRITE_DOCS=1</c> the page is written instead.</summary>
internal sealed class ExportersPageTests
{
    private static readonly string Page = Path.Combine(Fixtures.Repository, "docs", "exporters.md");

    [Test, Category("Slow")]
    public void It_says_what_is_true_of_every_export()
    {
        if (Fixtures.Root is null) Assert.Ignore("The page needs all exports: set LORTA_FIXTURES or put the fixtures into ../shared/fixtures beside the repository.");
        using var folder = new TestFolder();

        var page = ExportersPage.Render([.. Exports.All.Select(export => ExporterFacts.Of(export, folder))], [.. Architectures.All.Select(architecture => ExporterFacts.Of(architecture, folder))]);

        if (Environment.GetEnvironmentVariable("LORTA_WRITE_DOCS") == "1") File.WriteAllText(Page, page);
        Assert.That(File.ReadAllText(Page).Split('\n'), Is.EqualTo(page.Split('\n')));
        Assert.That(page, Does.Not.Contain("✗"));
    }
}
