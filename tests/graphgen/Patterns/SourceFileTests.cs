using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen.Attention.Walks;
using LoRTA.Onnx.GraphGen.Canonical.Fused;
using LoRTA.Onnx.GraphGen.Canonical.Pieces;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Patterns;

/// <summary>Messages that say where in this project something is missing.</summary>
internal sealed partial class SourceFileTests
{
    [TestCase(typeof(AttentionForms))]
    [TestCase(typeof(FusedAttentionForms))]
    [TestCase(typeof(FeatureFlow))]
    [TestCase(typeof(LayerReader))]
    [TestCase(typeof(ProjectionWalk))]
    public void A_place_that_a_message_names_exists(Type type) =>
        Assert.That(Path.Combine(Fixtures.Repository, SourceFile.Of(type)), Does.Exist);

    [Test]
    public void No_text_spells_the_path_of_a_source()
    {
        var sources = new[] { "graphgen", "runtime", "export", "training", "cli" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(Fixtures.Repository, folder), "*.cs", SearchOption.AllDirectories));

        Assert.That(sources.Where(path => SourcePath().IsMatch(File.ReadAllText(path))), Is.Empty);
    }

    [GeneratedRegex("^(?! *//).*\"[^\"\\n]*\\b(graphgen|export|training|cli)/\\w+[^\"\\n]*\"", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex SourcePath();
}
