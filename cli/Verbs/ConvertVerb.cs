using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta convert CHECKPOINT|BUFFER ADAPTER --artifacts DIR</c>.</summary>
internal static class ConvertVerb
{
    public static Verb Create()
    {
        var from = Arg.Path(
            "FROM", "A checkpoint of ONNX Runtime Training, or its trained parameters as bytes (float32, in the graph's order).");
        var adapter = Arg.Path("ADAPTER", "The adapter folder.");
        var artifacts = Opt.RequiredPath("--artifacts", "The artifacts that the training began with.", "DIR");
        var force = Opt.Force();
        return Verb.Define(
            "convert",
            "Make an adapter of what ONNX Runtime Training has trained.",
            [from, adapter, artifacts, force],
            call =>
            {
                var (file, folder, output) = (call.Get(from), call.Get(artifacts), call.Get(adapter));
                var guard = new OutputGuard(call.Get(force), OrtTrainingArtifacts.FilesOf(file, folder));
                guard.CheckFolder(output, Adapter.IsFile);
                var (trained, error) = OrtTrainingArtifacts.AdapterOf(file, folder);
                trained.Save(output);
                return new ConvertResult(output, trained.Config.Method, error);
            });
    }
}

/// <summary>The JSON of <c>lorta convert</c>.</summary>
/// <param name="Output">The adapter folder.</param>
/// <param name="Method">Its family.</param>
/// <param name="Error">How far its tensors are from what was converted, relative.</param>
internal sealed record ConvertResult(string Output, string Method, double Error);
