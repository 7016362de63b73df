using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Holds <c>docs/extending.md</c> against the family that the tests use.</summary>
internal sealed class ExtendingTests
{
    [Test]
    public void The_page_shows_the_family_that_is_tested() =>
        Assert.That(PageBlock.Of("docs/extending.md")[0].IsMethodOf("tests/shared/Gain.cs"));
}
