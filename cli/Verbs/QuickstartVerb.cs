using LoRTA.Onnx.Cli.Reports;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta quickstart</c>: the whole way once, on the bundled model and text.</summary>
internal static class QuickstartVerb
{
    private const string RecipeName = "ship-log.yaml";
    private const string Prompt = "2 March.";
    private const int SampleTokens = 40;

    public static Verb Create()
    {
        var output = Opt.OptionalOutput("The folder of the run and of the folded model (default: quickstart).");
        var force = Opt.Force();
        var runtime = new RuntimeArguments();
        return Verb.Define(
            "quickstart",
            "Adapt the bundled model to the bundled ship's log, fold, verify.",
            [output, force, .. runtime.Symbols],
            call =>
            {
                var folder = Path.GetFullPath(call.Get(output) ?? "quickstart");
                if (!call.Get(force) && Path.Exists(folder)) throw FileErrors.Exists(folder);
                var file = Path.Combine(Bundled(), "recipes", RecipeName);
                var recipe = RecipeArgument.Load(
                    call,
                    file,
                    [],
                    (Path.Combine(folder, "run"), null, runtime.Settings(call).Device));
                using var engine = runtime.Engine(call, recipe);
                return Run(call, folder, recipe, new RecipeRunOptions { RecipePath = file, Force = true, Page = HtmlReport.Text }, engine);
            },
            saves: true);
    }

    private static Verdict Run(Call call, string folder, Recipe recipe, RecipeRunOptions options, OrtEngine engine)
    {
        var deployed = OnnxModel.Load(recipe.Model);
        var merged = Path.Combine(folder, "merged.onnx");
        new OutputGuard(force: true, deployed.Files).CheckModel(merged);
        call.Progress.Report("Measuring the base model …");
        var before = recipe.Evaluate(engine, progress: call.Progress).Loss;
        var trained = recipe.Train(engine, options, call.Progress, call.Stop);
        call.Stop.ThrowIfCancellationRequested();   // the run is saved
        call.Progress.Report("Folding and verifying …");
        var adapter = Adapter.Load(trained.Adapter!);
        engine.Fold(deployed, adapter).Save(merged);
        var folded = OnnxModel.Load(merged);
        var comparison = engine.Compare(deployed, folded, new() { Adapter = adapter });
        var result = new QuickstartResult
        {
            LossBefore = before,
            LossAfter = trained.Loss,
            MaxAbsDiff = comparison.MaxAbsDiff,
            MaxRelDiff = comparison.MaxRelDiff,
            Trainable = trained.Trainable,
            Output = merged,
            Adapter = trained.Adapter!,
            Report = new RunFolder(recipe.Output!).Report,
            SampleBefore = Sample(deployed, recipe, engine),
            SampleAfter = Sample(folded, recipe, engine),
            Next =
            [
                $"lorta inspect {ShellPath.Of(merged)}",
                $"lorta train {ShellPath.Of(options.RecipePath!)} -o runs/rank-16 --set adapter.rank=16",
                "lorta schema recipe --table",
            ],
        };
        return new Verdict(result, comparison.Ok ? null : VerificationErrors.Differ(deployed.Path, merged, comparison));
    }

    private static string Sample(OnnxModel model, Recipe recipe, OrtEngine engine)
    {
        using var onCpu = new OrtEngine(engine.Options with { Device = "cpu" });
        using var generator = new TextGenerator(onCpu, model, new() { Tokenizer = recipe.Tokenizer });
        return generator.Continue(Prompt, new GenerationOptions { MaxTokens = SampleTokens }).Whole;
    }

    // In a parent of the current folder (a clone, whose files may have been changed), or beside the tool.
    private static string Bundled()
    {
        var places = new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory }.SelectMany(Parents)
            .Select(parent => Path.Combine(parent, "models"));
        return places.FirstOrDefault(place => File.Exists(Path.Combine(place, "recipes", RecipeName)))
            ?? throw FileErrors.NotFound($"models/recipes/{RecipeName}");
    }

    private static IEnumerable<string> Parents(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent) yield return at.FullName;
    }
}

/// <summary>The JSON of <c>lorta quickstart</c>.</summary>
internal sealed record QuickstartResult
{
    public required double LossBefore { get; init; }

    /// <summary>Null where the training was stopped before its first evaluation.</summary>
    public required double? LossAfter { get; init; }

    public required double MaxAbsDiff { get; init; }

    public required double MaxRelDiff { get; init; }

    public required long Trainable { get; init; }

    /// <summary>The folded model.</summary>
    public required string Output { get; init; }

    public required string Adapter { get; init; }

    public required string Report { get; init; }

    public required string SampleBefore { get; init; }

    public required string SampleAfter { get; init; }

    /// <summary>Commands to try next.</summary>
    public required IReadOnlyList<string> Next { get; init; }
}
