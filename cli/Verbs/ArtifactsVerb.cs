using System.CommandLine;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Artifacts.Portable;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta artifacts MODEL -o DIR --method … --task …</c>, or <c>--recipe FILE</c> in their place.</summary>
internal sealed class ArtifactsVerb
{
    private const string Portable = "portable";
    private const string OrtTraining = "ort-training";

    private readonly Argument<string> _model = Arg.Model();
    private readonly Option<string> _output = Opt.Output("The folder of the artifacts.");
    private readonly AdapterArguments _adapter;
    private readonly Option<string?> _task;
    private readonly Option<string?> _recipe = Opt.Path(
        "--recipe", "Take adapter, task, trained parameters, optimizer and learning rates from a recipe.", "FILE");

    private readonly Option<string> _dialect = Opt.OneOf(
        "--dialect", "Which runtime the training graphs are for: any ONNX Runtime, or ONNX Runtime Training.", Portable, OrtTraining);

    private readonly Option<bool> _embed = Opt.Of<bool>(
        "--embed-weights", "Store the frozen weights in each model instead of sharing weights.data.");

    private readonly Option<long?> _seed = Opt.Seed("the recipe's, else 0");
    private readonly Option<bool> _force = Opt.Force();

    private ArtifactsVerb(LortaCatalog catalog)
    {
        _adapter = new AdapterArguments(catalog);
        var tasks = catalog.Losses.Select(loss => loss.Name).ToList();
        _task = Opt.Of<string?>("--task", $"The loss: {string.Join(", ", tasks)}.", "NAME").Completing(tasks);
    }

    public static Verb Create(LortaCatalog catalog)
    {
        var verb = new ArtifactsVerb(catalog);
        return Verb.Define(
            "artifacts",
            "Write the training, evaluation and optimizer graphs.",
            [
                verb._model, verb._output, .. verb._adapter.Symbols, verb._task, verb._recipe, verb._dialect, verb._embed, verb._seed,
                verb._force,
            ],
            verb.Run);
    }

    private ArtifactsResult Run(Call call)
    {
        var deployed = OnnxModel.Load(call.Get(_model));
        var recipe = call.Get(_recipe) is { } path ? RecipeOf(call, path) : null;
        var read = recipe is null ? [] : RecipeFiles.Of(recipe, call.Get(_recipe), call.Catalog);
        var output = call.Get(_output);
        new OutputGuard(call.Get(_force), [.. deployed.Files, .. read]).CheckFolder(output, ArtifactFolder.IsFile);
        var planned = recipe is null ? null : RecipeGraphs.Of(recipe, deployed, call.Catalog);
        var graphs = planned?.Graphs ?? TrainingGraphs.Build(deployed, OptionsOf(call), call.Catalog);
        var embed = call.Get(_embed);
        var artifacts = call.Get(_dialect) == OrtTraining
            ? OrtTrainingArtifacts.Write(graphs, output, embed, planned?.Schedule)
            : PortableArtifacts.Write(graphs, output, embed, planned?.Schedule);
        return new ArtifactsResult(
            artifacts.Files,
            graphs.Trained.Sum(tensor => tensor.Initial.Count),
            Names(artifacts.Training.Graph.Inputs),
            Names(artifacts.Training.Graph.Outputs));
    }

    private Recipe RecipeOf(Call call, string path)
    {
        _adapter.RefuseBeside(call, _recipe.Name, _task);
        return RecipeArgument.Load(call, path, [], (null, call.Get(_seed), null));
    }

    private TrainingOptions OptionsOf(Call call) => new()
    {
        Adapter = _adapter.Options(call),
        Task = call.Get(_task) ?? throw NoTask(),
        Seed = call.Get(_seed) ?? 0,
    };

    private static IReadOnlyList<string> Names(IReadOnlyList<Value> values) => [.. values.Select(value => value.Name)];

    private static LortaException NoTask() =>
        new(
            "LRT584",
            "artifacts: give --task NAME, or --recipe FILE, which states it.",
            "For instance: lorta artifacts MODEL -o runs/artifacts --method lorta --task classification.")
        { IsUsage = true };
}

/// <summary>The JSON of <c>lorta artifacts</c>.</summary>
internal sealed record ArtifactsResult(
    IReadOnlyList<string> Files, long Trainable, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs);
