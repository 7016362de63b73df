using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Every family at its default places: gradients, folded files, files with the adapter beside their base, and the adapter switched off. What a family cannot do with a file is refused in one sentence.</summary>
internal sealed class FamiliesTests
{
    private static readonly FamilyMatrix Matrix = new();

    private static IEnumerable<TestCaseData> Cases => FamilyMatrix.Cases;

    private static IEnumerable<TestCaseData> CasesWithSwitch => FamilyMatrix.CasesWithSwitch;

    [OneTimeTearDown]
    public void WriteTable()
    {
        if (!FamilyMatrix.IsWhole) return;
        var path = Path.Combine(Fixtures.Repository, "artifacts", "matrix.md");
        File.WriteAllText(path, Matrix.Table());
        TestContext.Progress.WriteLine($"The table of all families and files: {path}");
    }

    [TestCaseSource(nameof(Cases))]
    public void Gradients_equal_central_differences(string method, string name) => Matrix.Run("gradients", method, name, file =>
    {
        var result = file.Gradients();

        Assert.That(result.Verdict, file.IsLarge ? Is.Not.EqualTo(GradientVerdict.Wrong) : Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors.Where(factor => factor.Verdict != GradientVerdict.Ok)));
    });

    [TestCaseSource(nameof(Cases))]
    public void Folded_file_computes_what_the_adapted_model_computes(string method, string name) => Matrix.Run("folded", method, name, file =>
    {
        var (difference, rounding) = file.Exported(new ExportOptions());

        if (rounding is { Bits: < 16 }) Assert.That(rounding.MaxRel, Is.LessThanOrEqualTo(0.2), "rounding");
        else Assert.That(difference, Is.LessThanOrEqualTo(file.Limit));
        Assert.That(file.Effect, Is.GreaterThan(1e-4), "the adapter must change something");
    });

    [TestCaseSource(nameof(Cases))]
    public void File_with_the_adapter_beside_its_base_computes_what_the_adapted_model_computes(string method, string name) => Matrix.Run("kept base", method, name, file =>
        Assert.That(file.Exported(new ExportOptions { KeepBase = true }).Difference, Is.LessThanOrEqualTo(file.Limit)));

    [TestCaseSource(nameof(CasesWithSwitch))]
    public void Switched_off_it_computes_what_the_base_computes(string method, string name) => Matrix.Run("switched off", method, name, file =>
        Assert.That(file.SwitchedOff(), Is.LessThanOrEqualTo(1e-6)));

    [Test]
    public void Family_that_cannot_be_folded_says_what_to_do()
    {
        var file = new AdaptedFile("bert", FamilyMatrix.OptionsOf("loretta_adp"));

        var failure = Assert.Throws<LortaException>(() => file.Exported(new ExportOptions()))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT312", "loretta_adp cannot be folded into weights.")));
        Assert.That(failure.Hint, Does.Contain("--keep-base"));
    }
}
