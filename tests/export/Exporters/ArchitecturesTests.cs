using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>The way from gradients to a folded file, on attention as model families spell it.</summary>
[Category(Fixtures.NotNeeded)]
internal sealed class ArchitecturesTests
{
    private static IEnumerable<ArchitectureCase> Understood => Architectures.All.Where(architecture => architecture.Projections.Length > 0);

    [TestCaseSource(nameof(Understood)), Category("Slow")]
    public void Gradients_are_right_and_exported_files_equal_the_adapted_model(ArchitectureCase architecture)
    {
        using var folder = new TestFolder();

        var works = ExporterFacts.Of(architecture, folder).Works!;

        Assert.Multiple(() =>
        {
            Assert.That(works.Gradients.IsOk, "gradients");
            Assert.That(works.Folded.Difference, Is.LessThanOrEqualTo(1e-5), "folded");
            Assert.That(works.Beside, Is.LessThanOrEqualTo(1e-5), "kept base");
        });
    }
}
