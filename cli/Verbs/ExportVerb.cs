using System.Globalization;
using System.Text.Json.Serialization;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta export MODEL --adapter DIR -o OUT</c>.</summary>
internal static class ExportVerb
{
    public static Verb Create()
    {
        var model = Arg.Model();
        var adapter = Opt.RequiredPath("--adapter", Opt.AdapterHelp, "DIR");
        var force = Opt.Force();
        var runtime = new RuntimeArguments();
        var output = Opt.Output(
            "The folded model: a file, or a folder; a folder MODEL goes there with all its files unless OUT ends in .onnx.");
        var verify = Opt.Of<bool>("--verify",
            "Compare the result with base and adapter; fail if that is not possible or they differ too much.");
        var widen = Opt.Of<bool>("--widen", "Write folded weights as float32 where the file stores them narrower behind a Cast.");
        var allow = Opt.AllowBase();
        var keep = Opt.Of<bool>("--keep-base", "Leave the base's weights as they are and add the adapter next to them.");
        var rounding = Opt.Of<bool>("--allow-rounding", "Accept low-bit weights that keep less than half of the adapter's effect.");
        var data = Opt.Path("--data",
            "Compare on a recipe's data, and measure the loss of base and adapter and that of the result on its validation data.",
            "RECIPE");
        var inputs = Opt.Path("--inputs", "Compare on these inputs, by name.", "FILE.safetensors");
        return Verb.Define("export", "Fold an adapter into its base model.",
            [model, adapter, output, verify, data, inputs, keep, widen, allow, rounding, force, .. runtime.Symbols], call =>
        {
            if (call.Get(keep) && call.Get(widen)) throw KeptAndWidened();
            var request = new Request(call.Get(model), call.Get(adapter), call.Get(output))
            {
                Force = call.Get(force),
                Verify = call.Get(verify),
                AllowRounding = call.Get(rounding),
                Inputs = call.Get(inputs),
                Recipe = call.Get(data) is { } path
                    ? RecipeArgument.OfModel(call, path, call.Get(model), runtime.Settings(call))
                    : null,
                RecipePath = call.Get(data),
                Run = call.Get(data) is null && call.Get(inputs) is null
                    ? RecipeOfRun(call, call.Get(adapter), call.Get(model), runtime.Settings(call))
                    : null,
            };
            var options = new ExportOptions { KeepBase = call.Get(keep), Widen = call.Get(widen), AllowOtherBase = call.Get(allow) };
            return Run(request, options, runtime.Settings(call), call.Progress);
        });
    }

    // Compared before anything is written: a failed comparison leaves an existing output as it is.
    internal static ExportResult Run(
        Request request, ExportOptions options, OrtEngineOptions settings, IProgress<WorkProgress>? progress = null)
    {
        progress?.Report(WorkProgress.Uncounted("reading the model"));
        var deployed = OnnxModel.Load(request.Model);
        using var engine = new OrtEngine(settings);
        var target = ExportTarget.Of(request.Model, deployed, request.Output) with { Inputs = [.. request.Read(settings.Catalog)] };
        target.Check(request.Force);
        var adapter = StoredAdapters.Load(request.Adapter, settings.Catalog);
        target = target.Describing(adapter, options.KeepBase);
        progress?.Report(WorkProgress.Uncounted(options.KeepBase ? "adding the adapter" : "folding the adapter"));
        var understood = UnderstoodModel.Of(deployed);
        var folded = engine.Fold(understood, adapter, options);
        var data = DataOf(request, understood, folded, settings.Catalog);
        var (comparison, problem) = request.Verify ? (Compare(), null)
            : folded.Bits <= LowBits ? IfItRuns(Compare)
            : (null, null);
        progress?.Report(WorkProgress.Uncounted("writing the model"));
        var bytes = target.Write(folded.Model, request.Force).Sum(file => new FileInfo(file).Length);
        var rounding = folded.Rounding();
        var isKept = comparison?.EffectKept is not { } kept || kept >= VerifyResult.LeastEffect || request.AllowRounding;
        return new ExportResult(target.File, comparison?.MaxAbsDiff, comparison?.MaxRelDiff, bytes, rounding, comparison?.EffectKept,
            comparison is null ? null : comparison.Ok || (comparison.EffectKept is not null && isKept))
        {
            Note = problem is not null ? $"Nothing was compared: {problem.Message}"
                : folded.IsBase() ? "The adapter changes nothing: the result computes what the base computes."
                : Note(comparison?.EffectKept, rounding, data.Of, options.Widen),
            Loss = request.Recipe is null ? null : LossesOf(request, (understood, folded), options.AllowOtherBase, engine, progress),
            Failure = isKept ? null : VerificationErrors.EffectLost(target.File, comparison!.EffectKept!.Value, rounding!.Type),
        };

        VerifyResult Compare()
        {
            return engine.Compare(understood, folded, new VerifyOptions
            {
                Adapter = adapter,
                Inputs = request.Inputs,
                Batches = request.Inputs is null ? data.Batches?.Held : null,
                Calibration = data.Batches?.Train,
                AllowOtherBase = options.AllowOtherBase,
                CanonicalOnly = !request.Verify,
                Progress = progress,
            });
        }
    }

    // The recipe that an adapter was trained with. Nobody asked for it, so one that cannot be read is none.
    private static (Recipe Recipe, string Path)? RecipeOfRun(Call call, string adapter, string model, OrtEngineOptions settings)
    {
        try
        {
            return StoredAdapters.RecipeOf(adapter) is { } path ? (RecipeArgument.OfModel(call, path, model, settings), path) : null;
        }
        catch (LortaException)
        {
            return null;
        }
    }

    // The data that low-bit weights are rounded for, and that the result is compared on: those of the recipe that was named, else those of
    // the adapter's run, where they are still there.
    private static (RecipeBatches? Batches, string? Of) DataOf(
        Request request, UnderstoodModel understood, FoldedModel folded, LortaCatalog catalog)
    {
        if (!request.Verify && folded.Bits > LowBits) return default;   // nothing is compared
        if (request.Recipe is { } recipe) return (RecipeBatches.Of(recipe, understood.Canonical, catalog), request.RecipePath);
        if (request.Run is not var (own, path) || folded.Bits > LowBits) return default;
        try
        {
            return (RecipeBatches.Of(own, understood.Canonical, catalog), path);
        }
        catch (LortaException)
        {
            return default;
        }
    }

    private const double EnoughPercent = 95;
    private const int LowBits = 8;

    private static string? Note(double? kept, Rounding? rounding, string? roundedFor, bool widen)
    {
        if (widen && rounding is not null) return NotWidened(rounding);
        if (kept is null) return null;
        var percent = Math.Max(0, Math.Floor(kept.Value * 100));
        var sentence = FormattableString.Invariant(
            $"Weights of {rounding!.Type} keep {percent:0} % of the adapter's effect on the outputs.");
        if (roundedFor is not null) sentence += $" They are rounded for the data of {roundedFor}.";
        if (percent >= EnoughPercent) return sentence;
        return roundedFor is null
            ? $"{sentence} '--data RECIPE' rounds for that data, '--keep-base' keeps all of it."
            : $"{sentence} '--keep-base' keeps all of it.";
    }

    private static string NotWidened(Rounding rounding) => string.Create(CultureInfo.InvariantCulture,
        $"--widen left {rounding.Weights} weights as {rounding.Type}: only those are widened that the file casts to float32 itself.");

    // A file for another device may not run here: what nobody asked for does not fail.
    private static (VerifyResult? Result, LortaException? Problem) IfItRuns(Func<VerifyResult> compare)
    {
        try
        {
            return (compare(), null);
        }
        catch (LortaException e)
        {
            return (null, e);
        }
    }

    private static LortaException KeptAndWidened() =>
        new("LRT806", "--keep-base, --widen: a base that is kept has no weight to widen.", "Give one of the two.") { IsUsage = true };

    private static Losses LossesOf(
        Request request, (UnderstoodModel Base, FoldedModel Folded) models, bool allowOtherBase, OrtEngine engine,
        IProgress<WorkProgress>? progress)
    {
        var adapted = new EvaluationOptions
        {
            Adapter = request.Adapter,
            Canonical = models.Base.Canonical,
            AllowOtherBase = allowOtherBase,
        };
        return new Losses(Loss(adapted), Loss(new EvaluationOptions { Canonical = models.Folded.Canonical }));

        double Loss(EvaluationOptions options) =>
            request.Recipe!.Evaluate(engine, options, progress is null ? null : new WorkOnly(progress)).Loss;
    }

    // What became of the data's entries has nothing to do with the export.
    private sealed class WorkOnly(IProgress<WorkProgress> progress) : IProgress<TrainingEvent>
    {
        public void Report(TrainingEvent value)
        {
            if (value is WorkEvent { Work: var work }) progress.Report(work);
        }
    }

    /// <summary>What to fold, and where the result goes.</summary>
    internal sealed record Request(string Model, string Adapter, string Output)
    {
        /// <summary>Replace an existing output.</summary>
        public bool Force { get; init; }

        /// <summary>Fail where the result cannot be compared, or differs too much.</summary>
        public bool Verify { get; init; }

        /// <summary>Accept a result that keeps less than half of the adapter's effect.</summary>
        public bool AllowRounding { get; init; }

        /// <summary>A file of inputs to compare on.</summary>
        public string? Inputs { get; init; }

        /// <summary>A recipe whose data are compared on and measured.</summary>
        public Recipe? Recipe { get; init; }

        /// <summary>The file of <see cref="Recipe"/>.</summary>
        public string? RecipePath { get; init; }

        /// <summary>The recipe of the run that the adapter is of, and its file, where no other data are named; null = not known.</summary>
        public (Recipe Recipe, string Path)? Run { get; init; }

        /// <summary>The files that are read beside the model, which the output must not replace.</summary>
        public IEnumerable<string> Read(LortaCatalog catalog) =>
        [
            .. StoredAdapters.FilesOf(Adapter, catalog),
            .. Inputs is { } file ? [file] : Array.Empty<string>(),
            .. Recipe is null ? [] : RecipeFiles.Of(Recipe, RecipePath, catalog),
            .. Run is var (own, path) ? RecipeFiles.Of(own, path, catalog) : [],
        ];
    }
}

/// <summary>The JSON of <c>lorta export</c>; <c>ok</c> is null where nothing was compared.</summary>
internal sealed record ExportResult(string Output, double? MaxAbsDiff, double? MaxRelDiff, long BytesWritten, Rounding? Rounding,
    double? EffectKept, bool? Ok) : IVerdict
{
    /// <summary>What a person should know about it, in one sentence.</summary>
    public string? Note { get; init; }

    /// <summary>What the stored numbers do to the loss, if asked for.</summary>
    public Losses? Loss { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public LortaException? Failure { get; init; }

    bool IVerdict.Ok => Ok ?? true;
}

/// <summary>Losses on the same data.</summary>
/// <param name="Adapted">Of base and adapter.</param>
/// <param name="Exported">Of the exported file.</param>
internal sealed record Losses(double Adapted, double Exported);
