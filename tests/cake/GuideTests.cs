using LoRTA.Onnx.Tests.Shared;

namespace Cake.LoRTA.Tests;

/// <summary>Holds the guide against the samples, which the packaging suite runs, and against the aliases.</summary>
internal sealed class GuideTests
{
    private const string Guide = "docs/cake-and-msbuild.md";

    [TestCase("csharp", "samples/cake/build.cake")]
    [TestCase("xml", "samples/msbuild/adapter.proj")]
    public void The_guide_shows_the_sample(string language, string sample) =>
        Assert.That(
            PageBlock.Of(Guide).Where(block => block.Language == language).Select(block => block.Lines),
            Is.EqualTo(new[] { File.ReadAllLines(Path.Combine(Fixtures.Repository, sample)) }));

    [TestCase(Guide)]
    [TestCase("cake/README.md")]
    public void Every_alias_is_named(string page)
    {
        var text = File.ReadAllText(Path.Combine(Fixtures.Repository, page));

        Assert.That(typeof(LortaAliases).GetMethods().Select(alias => alias.Name).Where(name => name.StartsWith("Lorta", StringComparison.Ordinal)).Distinct().Where(name => !text.Contains($"`{name}`", StringComparison.Ordinal)), Is.Empty);
    }
}
