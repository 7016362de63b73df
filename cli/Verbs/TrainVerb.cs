using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.Cli.Reports;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta train RECIPE</c>.</summary>
internal static class TrainVerb
{
    public static Verb Create()
    {
        var recipe = Arg.Recipe();
        var settings = Opt.Settings();
        var output = Opt.OptionalOutput("The run folder.");
        var resume = Opt.Resume();
        var force = Opt.Force();
        var seed = Opt.Seed("the recipe's");
        var runtime = new RuntimeArguments();
        var trainer = Opt.OneOf(
            "--runtime", "What trains: ONNX Runtime, or the training sessions of ONNX Runtime Training.", [.. RecipeRunOptions.Runtimes]);
        return Verb.Define(
            "train",
            "Train an adapter from a recipe.",
            [recipe, settings, output, resume, force, seed, trainer, .. runtime.Symbols],
            call =>
            {
                if (call.Get(resume) && call.Get(force)) throw ContinuedAndReplaced();
                var loaded = RecipeArgument.Load(
                    call, call.Get(recipe), call.Get(settings), (call.Get(output), call.Get(seed), runtime.Device(call)));
                var options = new RecipeRunOptions
                {
                    RecipePath = call.Get(recipe),
                    Resume = call.Get(resume),
                    Force = call.Get(force),
                    Runtime = call.Get(trainer),
                    Page = HtmlReport.Text,
                };
                using var engine = runtime.Engine(call, loaded);
                return new TrainResult(loaded.Train(engine, options, call.Progress, call.Stop), AreSaid: !call.Get(Opt.Quiet));
            },
            saves: true);
    }

    private static LortaException ContinuedAndReplaced() =>
        new("LRT126", "--resume, --force: the one continues a run, the other replaces it.", "Give one of the two.") { IsUsage = true };
}

/// <summary>The result of <c>lorta train</c>.</summary>
/// <param name="Report">What the run came to.</param>
/// <param name="AreSaid">Whether its warnings were shown before.</param>
internal sealed record TrainResult(TrainingReport Report, bool AreSaid) : IDocument
{
    public JsonNode ToJson() => JsonSerializer.SerializeToNode(Report, Results.Json)!;

    public object ToTable() => AreSaid ? Report with { Warnings = [] } : Report;
}

/// <summary>A recipe from the command line, whose options override its keys.</summary>
internal static class RecipeArgument
{
    public static Recipe Load(Call call, string path, IReadOnlyList<string> settings, (string? Output, long? Seed, string? Device) options)
    {
        var recipe = Recipe.Load(path, settings, call.Catalog);
        return recipe with
        {
            Output = options.Output is { } output ? Path.GetFullPath(output) : recipe.Output,
            Seed = options.Seed ?? recipe.Seed,
            Device = options.Device ?? recipe.Device,
        };
    }

    /// <summary>A recipe whose data another model is judged on.</summary>
    public static Recipe OfModel(Call call, string path, string model, OrtEngineOptions settings) =>
        Load(call, path, [], (null, null, settings.Device)) with { Model = model };
}
