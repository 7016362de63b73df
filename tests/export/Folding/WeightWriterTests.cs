using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

internal sealed class WeightWriterTests
{
    [Test]
    public void Of_the_weights_that_cannot_be_rounded_the_first_in_the_order_of_the_file_is_reported()
    {
        using var folder = new TestFolder();
        var original = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "qwen2").Path);
        var deployed = FewBits.Saved(original, FewBitsForm.Blocks4, folder["model.onnx"]);
        var sites = UnderstoodModel.Of(deployed).Map.Layers.SelectMany(layer => layer.Sites).ToList();
        var writer = new WeightWriter(deployed.Clone(), widen: false, new RoundingChoice());
        using var laterHasFailed = new ManualResetEventSlim();
        foreach (var (index, site) in sites.Index())
            writer.Replace(site.Stored, BaseModels.Numbers(deployed, site.Stored), [Failing(index, site)]);

        Assert.That(writer.Round, Throws.InvalidOperationException.With.Message.EqualTo(sites[0].Address));

        // The first weight is rounded beside the second, and fails after it.
        WeightEdit Failing(int index, Projection site) => new(site.Address, BaseModels.Matrix(deployed, site), _ =>
        {
            if (index > 0) laterHasFailed.Set();
            else laterHasFailed.Wait(TimeSpan.FromSeconds(10));
            throw new InvalidOperationException(site.Address);
        });
    }
}
