using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Attention;

/// <summary>Attention as model families spell it, exported by PyTorch.</summary>
internal sealed class ArchitecturesTests
{
    [TestCaseSource(typeof(Architectures), nameof(Architectures.All))]
    public void The_projections_of_every_layer_are_found(ArchitectureCase expected)
    {
        var map = Read(expected);

        Assert.That((map.Heads, map.KvHeads, map.HeadWidth), Is.EqualTo((expected.Heads, expected.KvHeads, expected.HeadWidth)));
        Assert.That(map.Layers, expected.Projections.Length == 0 ? Is.Empty : Is.Not.Empty);
        foreach (var layer in map.Layers) Assert.That(new[] { layer.Q, layer.K, layer.V, layer.P }.Select(Describe), Is.EqualTo(expected.Projections));
    }

    [TestCaseSource(typeof(Architectures), nameof(Architectures.All))]
    public void The_matrices_of_every_MLP_are_found(ArchitectureCase expected)
    {
        foreach (var layer in Read(expected).Layers) Assert.That(new[] { layer.Gate, layer.Up, layer.Down }.Select(Describe), Is.EqualTo(expected.Mlp));
    }

    [TestCaseSource(typeof(Architectures), nameof(Architectures.All))]
    public void What_is_left_alone_is_named_and_nothing_else(ArchitectureCase expected)
    {
        var findings = Read(expected).Findings;

        Assert.That(findings, Has.Count.EqualTo(expected.Findings), string.Join('\n', findings));
        if (expected.Finding is not null) Assert.That(findings[0].Reason, Does.StartWith(expected.Finding));
    }

    [TestCaseSource(typeof(Architectures), nameof(Architectures.All))]
    public void Reading_the_attention_changes_nothing(ArchitectureCase architecture)
    {
        var canonical = CanonicalModel.Of(OnnxModel.Load(architecture.Path));
        var before = ModelWriter.ToBytes(canonical.Model);

        AttentionMap.Of(canonical);

        Assert.That(ModelWriter.ToBytes(canonical.Model), Is.EqualTo(before));
    }

    [TestCaseSource(nameof(Small))]
    public void Reading_an_export_changes_neither_the_file_nor_its_training_copy(string export)
    {
        var canonical = CanonicalModel.Of(OnnxModel.Load(Exports.Path(export)));
        var before = (ModelWriter.ToBytes(canonical.Deployed), ModelWriter.ToBytes(canonical.Model));

        AttentionMap.Of(canonical);

        Assert.That(ModelWriter.ToBytes(canonical.Deployed), Is.EqualTo(before.Item1));
        Assert.That(ModelWriter.ToBytes(canonical.Model), Is.EqualTo(before.Item2));
    }

    [Test]
    public void Layers_of_an_encoder_come_before_those_of_its_decoder()
    {
        var map = Read(Architectures.All.Single(architecture => architecture.Name == "bart"));

        Assert.That(map.Layers.Select(layer => layer.Q!.Stored.Node), Is.EqualTo(new[] { "/encoder.0/q_proj/MatMul", "/encoder.1/q_proj/MatMul", "/decoder.0/q_proj/MatMul", "/decoder.1/q_proj/MatMul" }));
    }

    [Test]
    public void Every_file_is_a_case() =>
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(Architectures.All[0].Path)!, "*.onnx").Select(Path.GetFileNameWithoutExtension), Is.EquivalentTo(Architectures.All.Select(architecture => architecture.Name)));

    private static IEnumerable<string> Small => Exports.All.Where(export => !export.StartsWith("smollm2", StringComparison.Ordinal) && !export.StartsWith("minilm", StringComparison.Ordinal));

    private static AttentionMap Read(ArchitectureCase architecture) => AttentionMap.Of(CanonicalModel.Of(OnnxModel.Load(architecture.Path)));

    private static string? Describe(Projection? site) => site is null ? null : $"{site.Stored.Node.Split('/')[^2].Split("_1")[0]} {string.Join(',', site.Stored.Columns.Select(range => $"{range.Start}-{range.End}"))}";
}
