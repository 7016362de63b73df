using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Families that change a layer by more than a sum, at their own places: gradients, folded files, and files with the adapter beside
/// their base.</summary>
internal sealed class FamiliesTests
{
    private static readonly AdapterOptions[] Families =
    [
        new() { Method = "ia3" },
        new() { Method = "dora", Rank = 2, Alpha = 0.5, Targets = ["all-linear"] },
        new() { Method = "loretta_adp", Options = new Dictionary<string, string> { ["bottleneck"] = "4", ["ttRank"] = "3", ["activation"] = "tanh" } },   // relu has kinks, at which differences tell nothing
    ];

    // One plain, one fused, one quantised; with LORTA_MATRIX=1 every file.
    private static readonly string[] Some = ["llama-mini/ts-sdpa", "roberta-mini/seqcls.ort-fused", "llama-mini/genai-int4"];

    private static IEnumerable<TestCaseData> Files => FilesOf(Families);

    private static IEnumerable<TestCaseData> FilesToFold => FilesOf(Families.Where(family => family.Method != "loretta_adp"));

    private static IEnumerable<TestCaseData> FilesOf(IEnumerable<AdapterOptions> families) =>
        from family in families
        from name in Environment.GetEnvironmentVariable("LORTA_MATRIX") == "1" ? AdaptedFile.Understood : Some
        select new TestCaseData(family, name).SetArgDisplayNames(family.Method, name);

    [TestCaseSource(nameof(Files))]
    public void Gradients_equal_central_differences(AdapterOptions family, string name)
    {
        var file = new AdaptedFile(name, family);

        var result = file.Gradients();

        Assert.That(result.Verdict, file.IsLarge ? Is.Not.EqualTo(GradientVerdict.Wrong) : Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors.Where(factor => factor.Verdict != GradientVerdict.Ok)));
    }

    [TestCaseSource(nameof(FilesToFold))]
    public void Folded_file_computes_what_the_adapted_model_computes(AdapterOptions family, string name)
    {
        var file = new AdaptedFile(name, family);

        var (difference, rounding) = file.Exported(new ExportOptions());

        if (rounding is { Bits: < 16 }) Assert.That(rounding.MaxRel, Is.LessThanOrEqualTo(0.2), "rounding");
        else Assert.That(difference, Is.LessThanOrEqualTo(file.Limit));
        Assert.That(file.Effect, Is.GreaterThan(1e-4), "the adapter must change something");
    }

    [Test]
    public void Family_that_cannot_be_folded_says_what_to_do()
    {
        var file = new AdaptedFile("bert", Families.Single(family => family.Method == "loretta_adp"));

        var failure = Assert.Throws<LortaException>(() => file.Exported(new ExportOptions()))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT312", "loretta_adp cannot be folded into weights.")));
        Assert.That(failure.Hint, Does.Contain("--keep-base"));
    }

    [TestCaseSource(nameof(Files))]
    public void File_with_the_adapter_beside_its_base_computes_what_the_adapted_model_computes(AdapterOptions family, string name)
    {
        var file = new AdaptedFile(name, family);

        Assert.That(file.Exported(new ExportOptions { KeepBase = true }).Difference, Is.LessThanOrEqualTo(file.Limit));
    }
}
