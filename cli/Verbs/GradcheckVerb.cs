using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Checks;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta gradcheck MODEL --golden FILE</c>.</summary>
internal static class GradcheckVerb
{
    public static Verb Create()
    {
        var (model, golden, batch) = (Arg.Model(), Opt.Of<string?>("--golden", "A golden .safetensors with its .json beside it.", "FILE"), Opt.Of<string?>("--batch", "The batch; default: the one that the golden names, in reference/ beside the model.", "FILE"));
        var threads = Opt.Threads();
        return Verb.Define("gradcheck", "Compare derived gradients with a golden, or with central differences.", [model, golden, batch, threads], call =>
        {
            var settings = new OrtSettings(Threads: call.Get(threads) ?? 0);
            var deployed = Model.Load(call.Get(model));
            var expected = Golden.Load(call.Get(golden)!);
            var architecture = BaseModels.ArchitectureOf(deployed, AttentionMap.Of(CanonicalModel.Of(deployed)));
            var graphs = TrainingGraphBuilder.Build(deployed, expected.Spec(architecture));
            var file = call.Get(batch) ?? Path.Combine(Path.GetDirectoryName(deployed.Path)!, "reference", expected.Batch!);
            return new GoldenCheck(expected, new OrtGraphEvaluator(settings)).Run(graphs, StoredBatch.Load(file), settings);
        });
    }
}
