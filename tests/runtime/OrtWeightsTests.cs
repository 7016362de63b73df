using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class OrtWeightsTests
{
    private static readonly OrtEngineOptions Settings = new() { Threads = 1 };

    [Test]
    public void Sessions_opened_by_path_as_for_older_releases_compute_the_same()
    {
        var model = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "llama-mini"));

        var (expected, _) = Logits(model, Settings);
        var (found, files) = Logits(model, Settings with { OpensByPath = true });

        Assert.That(files, Is.EquivalentTo(new[] { ".onnx", ".weights" }));
        Assert.That(found, Is.EqualTo(expected));
    }

    private static (float[] Logits, IEnumerable<string> Files) Logits(OnnxModel model, OrtEngineOptions settings)
    {
        using var weights = new OrtWeights();
        using var session = weights.Open(model, settings);
        var files = weights.TemporaryFiles.Select(Path.GetExtension).OfType<string>().Where(kind => kind is ".onnx" or ".weights").ToList();
        using var run = new OrtRun(session);
        foreach (var name in session.InputNames) run.Bind(name, OnnxTensor.Of<long>([1, 3], name == "attention_mask" ? [1, 1, 1] : [0, 1, 2]));
        return (run.Evaluate().Values.First().ToFloats(), files);
    }
}
