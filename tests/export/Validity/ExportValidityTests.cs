using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Artifacts.Portable;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Export.Tests.Validity;

/// <summary>What is made of a valid file is a valid file; faults that a file has itself stay its own.</summary>
[TestFixtureSource(typeof(Exports), nameof(Exports.All)), Category("Slow")]
internal sealed class ExportValidityTests(string export)
{
    private static readonly string[] Outputs =
        ["folded.onnx", "widened.onnx", "kept-base.onnx", "injected.onnx", "artifacts/training_model.onnx", "artifacts/eval_model.onnx", "artifacts/optimizer_model.onnx"];

    private TestFolder _folder = null!;

    [OneTimeSetUp]
    public void Write()
    {
        _folder = new();
        var deployed = OnnxModel.Load(Exports.Path(export));
        var adapter = RandomAdapter.For(deployed, layers: export.StartsWith("smollm2", StringComparison.Ordinal) ? [0] : null);   // its thirty layers are alike, and large
        Export("folded.onnx", new ExportOptions());
        Export("widened.onnx", new ExportOptions { Widen = true });
        Export("kept-base.onnx", new ExportOptions { KeepBase = true });
        DeployedInjection.WithInputs(deployed, adapter.Config.AdapterOptions, adapter.Tensors, seed: 0).Model.Save(_folder["injected.onnx"]);
        var graphs = TrainingGraphs.Build(deployed, new TrainingOptions { Adapter = adapter.Config.AdapterOptions, Task = Exports.TaskOf(export) });
        PortableArtifacts.Write(graphs, _folder["artifacts"], embedWeights: false);

        void Export(string output, ExportOptions options) => RandomAdapter.Evaluator.Fold(deployed, adapter, options).Save(_folder[output]);
    }

    [OneTimeTearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCaseSource(nameof(Outputs))]
    public void No_fault_is_added(string output) =>
        Assert.That(ModelChecker.Findings(_folder[output]).Except(ModelChecker.Findings(Exports.Path(export))), Is.Empty);

    /// <summary>Its nodes have the inputs, outputs and attributes that their operators take.</summary>
    [TestCaseSource(nameof(Outputs))]
    public void ONNX_Runtime_opens_it(string output)
    {
        using var options = new OrtEngineOptions { Threads = 1 }.ToSessionOptions();
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;

        Assert.DoesNotThrow(() => new InferenceSession(_folder[output], options).Dispose());
    }
}
