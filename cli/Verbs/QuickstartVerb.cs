using LoRTA.Onnx.Cli.Reports;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Runtime;
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
                if (!call.Get(force) && PathKinds.Of(folder) != PathKind.Nothing) throw FileErrors.Exists(folder);
                var file = Path.Combine(Bundled(), "recipes", RecipeName);
                var recipe = RecipeArgument.Load(
                    call,
                    file,
                    [],
                    (Path.Combine(folder, "run"), null, runtime.Settings(call).Device));
                return Run(call, folder, new RunRequest
                {
                    Recipe = recipe,
                    RecipePath = file,
                    Force = true,
                    Settings = runtime.Settings(call),
                    Report = HtmlReport.Write,
                });
            });
    }

    private static Verdict Run(Call call, string folder, RunRequest request)
    {
        request.Settings.CheckDevice();
        var evaluator = request.Settings.ToEngine();
        var deployed = OnnxModel.Load(request.Recipe.Model);
        var merged = Path.Combine(folder, "merged.onnx");
        new OutputGuard(force: true, deployed.Files).CheckModel(merged);
        call.Progress.Report("Measuring the base model …");
        var evaluation = new EvaluationRequest { Recipe = request.Recipe, Settings = request.Settings };
        var before = TrainingRun.Evaluate(evaluation, call.Progress).Loss;
        var trained = TrainingRun.Train(request, call.Progress, TimeProvider.System, call.Stop);
        call.Stop.ThrowIfCancellationRequested();   // the run is saved
        call.Progress.Report("Folding and verifying …");
        var adapter = Adapter.Load(trained.Adapter!);
        evaluator.Fold(deployed, adapter).Save(merged);
        var folded = OnnxModel.Load(merged);
        var comparison = evaluator.Compare(deployed, folded, new() { Adapter = adapter });
        var result = new QuickstartResult
        {
            LossBefore = before,
            LossAfter = trained.Loss,
            MaxAbsDiff = comparison.MaxAbsDiff,
            MaxRelDiff = comparison.MaxRelDiff,
            Trainable = trained.Trainable,
            Output = merged,
            Adapter = trained.Adapter!,
            Report = new RunFolder(request.Recipe.Output!).Report,
            SampleBefore = Sample(deployed, request),
            SampleAfter = Sample(folded, request),
            Next =
            [
                $"lorta inspect {ShellPath.Of(merged)}",
                $"lorta train {ShellPath.Of(request.RecipePath!)} -o runs/rank-16 --set adapter.rank=16",
                "lorta schema recipe --table",
            ],
        };
        return new Verdict(result, comparison.Ok ? null : VerificationErrors.Differ(deployed.Path, merged, comparison));
    }

    private static string Sample(OnnxModel model, RunRequest request)
    {
        using var engine = new OrtEngine(new() { Threads = request.Settings.Threads });
        using var generator = new TextGenerator(engine, model, new() { Tokenizer = request.Recipe.Tokenizer });
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
