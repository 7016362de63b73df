using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts;

/// <summary>Exports for one length or one batch size, in which rows are numbers like heads and widths are.</summary>
internal sealed class FixedSizesTests
{
    // 4 heads of width 4, 2 key/value heads and a model width of 16 are sizes that a length or a batch may equal.
    private static readonly (long? Batch, long? Length)[] Sizes =
        [(null, 7), (null, 4), (null, 16), (null, 64), (2, null), (4, null), (16, null), (1, 10), (4, 4), (2, 32), (16, 2), (3, 1), (1, 1)];

    [TestCaseSource(typeof(Architectures), nameof(Architectures.All))]
    public void Every_site_of_the_dynamic_export_is_found_at_any_size(ArchitectureCase architecture)
    {
        var expected = Describe(OnnxModel.Load(architecture.Path));

        Assert.Multiple(() =>
        {
            foreach (var (batch, length) in Sizes)
                Assert.That(Describe(FixedModels.WithSizes(OnnxModel.Load(architecture.Path), batch, length)), Is.EqualTo(expected), $"batch {batch}, length {length}");
        });
    }

    [Test]
    public void A_reported_file_with_a_fixed_length_has_all_its_sites() =>
        Assert.That(Describe(OnnxModel.Load(Fixtures.Path("field", "r01-fixed-sequence-length", "st128-qwen2.onnx"))), Has.Count.EqualTo(12));   // 2 layers of q k v p up down

    [Test]
    public void A_large_batch_size_is_no_work()
    {
        var model = FixedModels.WithSizes(OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "bloom").Path), 100_000_000, 16);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Describe(model);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100_000_000));   // one number per row would take more
    }

    [TestCase("bloom")]
    [TestCase("torch-multihead")]
    public void More_rows_than_32_bits_count_hide_no_site(string name)
    {
        var path = Architectures.All.Single(architecture => architecture.Name == name).Path;

        var found = Describe(FixedModels.WithSizes(OnnxModel.Load(path), 3_000_000_000, 16));

        Assert.That(found, Is.EqualTo(Describe(OnnxModel.Load(path))));
    }

    private static List<string> Describe(OnnxModel model)
    {
        var map = AttentionMap.Of(CanonicalModel.Of(model));
        return
        [
            .. map.Layers.SelectMany(layer => layer.Sites).Select(site => $"{site.Address} {site.Stored.Node} {string.Join(',', site.Stored.Columns)} {site.Heads}"),
            .. map.Findings.Select(finding => finding.ToString()),
        ];
    }
}
