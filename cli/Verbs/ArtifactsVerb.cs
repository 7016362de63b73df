using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Artifacts.Portable;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta artifacts MODEL -o DIR --method … --task …</c>.</summary>
internal static class ArtifactsVerb
{
    private const string Portable = "portable";
    private const string OrtTraining = "ort-training";

    public static Verb Create(LortaCatalog catalog)
    {
        var model = Arg.Model();
        var output = Opt.Output("The folder of the artifacts.");
        var force = Opt.Force();
        var seed = Opt.Seed();
        var adapter = new AdapterArguments(catalog);
        var tasks = catalog.Losses.Select(loss => loss.Name).ToList();
        var task = Opt.Required<string>("--task", $"The loss: {string.Join(", ", tasks)}.", "NAME").Completing(tasks);
        var embed = Opt.Of<bool>(
            "--embed-weights", "Store the frozen weights in each model instead of sharing weights.data.");
        var dialect = Opt.OneOf(
            "--dialect", "Which runtime the training graphs are for: any ONNX Runtime, or ONNX Runtime Training.", Portable, OrtTraining);
        return Verb.Define(
            "artifacts",
            "Write the training, evaluation and optimizer graphs.",
            [model, output, .. adapter.Symbols, task, dialect, embed, seed, force],
            call =>
            {
                var deployed = OnnxModel.Load(call.Get(model));
                new OutputGuard(call.Get(force), deployed.Files).CheckFolder(call.Get(output), ArtifactFolder.IsFile);
                var options = new TrainingOptions
                {
                    Adapter = adapter.Options(call),
                    Task = call.Get(task),
                    Seed = call.Get(seed) ?? 0,
                };
                var graphs = TrainingGraphs.Build(deployed, options, call.Catalog);
                var artifacts = call.Get(dialect) == OrtTraining
                    ? OrtTrainingArtifacts.Write(graphs, call.Get(output), call.Get(embed))
                    : PortableArtifacts.Write(graphs, call.Get(output), call.Get(embed));
                return new ArtifactsResult(
                    artifacts.Files,
                    graphs.Trained.Sum(tensor => tensor.Initial.Count),
                    Names(artifacts.Training.Graph.Inputs),
                    Names(artifacts.Training.Graph.Outputs));
            });
    }

    private static IReadOnlyList<string> Names(IReadOnlyList<Value> values) => [.. values.Select(value => value.Name)];
}

/// <summary>The JSON of <c>lorta artifacts</c>.</summary>
internal sealed record ArtifactsResult(
    IReadOnlyList<string> Files, long Trainable, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs);
