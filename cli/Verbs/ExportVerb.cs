using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.Export.Verification;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta export MODEL --adapter DIR -o OUT</c>.</summary>
internal static class ExportVerb
{
    public static Verb Create()
    {
        var (model, adapter, force, runtime) = (Arg.Model(), Opt.Required<string>("--adapter", "An adapter folder."), Opt.Force(), new RuntimeArguments());
        var output = Opt.Output("The folded model: a file, or a folder when MODEL is one.");
        var verify = Opt.Of<bool>("--verify", "Compare the result with base and adapter.");
        var widen = Opt.Of<bool>("--widen", "Write folded weights as float32 where the file stores them narrower behind a Cast.");
        var allow = Opt.AllowBase();
        var keep = Opt.Of<bool>("--keep-base", "Leave the base's weights as they are and add the adapter beside them.");
        var data = Opt.Of<string?>("--data", "Measure the loss of base and adapter and that of the result on a recipe's validation data.", "RECIPE");
        return Verb.Define("export", "Fold an adapter into its base model.", [model, adapter, output, verify, data, keep, widen, allow, force, .. runtime.Symbols], call =>
        {
            var request = new Request(call.Get(model), call.Get(adapter), call.Get(output), call.Get(force), call.Get(verify));
            if (call.Get(keep) && call.Get(widen)) throw KeptAndWidened();
            var options = new ExportOptions { KeepBase = call.Get(keep), Widen = call.Get(widen), AllowOtherBase = call.Get(allow) };
            var recipe = call.Get(data) is { } path ? RecipeArgument.Load(path, [], (null, null, runtime.Settings(call).Device)) : null;
            var result = Run(request, options, new OrtGraphEvaluator(runtime.Settings(call)));
            return recipe is null ? result : result with { Loss = LossesOf(recipe, request, result.Output, options.AllowOtherBase, runtime.Settings(call).Threads) };
        });
    }

    internal static ExportResult Run(Request request, ExportOptions options, OrtGraphEvaluator evaluator)
    {
        var deployed = Model.Load(request.Model);
        var target = ExportTarget.Of(request.Model, deployed, request.Output);
        var adapter = AdapterFolder.Load(request.Adapter);
        var folded = new Folder(evaluator).Fold(deployed, adapter, options);
        target.Write(folded.Model, request.Force);
        var rounding = folded.Rounding();
        var comparison = request.Verify ? Compare() : rounding is { Bits: < 16 } ? IfItRuns(Compare) : null;
        return new ExportResult(target.File, comparison?.MaxAbsDiff, comparison?.MaxRelDiff, target.Bytes, rounding, comparison?.Ok ?? true);

        VerifyResult Compare() => VerifyVerb.Compare(deployed, Model.Load(target.File), adapter, new VerifyOptions { Tolerance = ToleranceOf(rounding, deployed) }, evaluator, options.AllowOtherBase);
    }

    // A file for another device may not run here: what nobody asked for does not fail.
    private static VerifyResult? IfItRuns(Func<VerifyResult> compare)
    {
        try
        {
            return compare();
        }
        catch (LortaException)
        {
            return null;
        }
    }

    private static LortaException KeptAndWidened() => new("LRT806", "--keep-base, --widen: a base that is kept has no weight to widen.", "Give one of the two.") { IsUsage = true };

    private static Losses LossesOf(Recipe recipe, Request request, string output, bool allowOtherBase, int threads)
    {
        var adapted = new EvaluationRequest { Recipe = recipe, Adapter = request.Adapter, Model = request.Model, AllowOtherBase = allowOtherBase, Threads = threads };
        return new Losses(TrainingRun.Evaluate(adapted).Loss, TrainingRun.Evaluate(adapted with { Adapter = null, Model = output }).Loss);
    }

    // What few bits cannot hold is reported, not judged.
    private static double ToleranceOf(Rounding? rounding, Model deployed) => rounding switch
    {
        null or { Bits: 16 } => VerifyVerb.ToleranceOf(deployed),
        _ => double.MaxValue,
    };

    /// <summary>What to fold, and where the result goes.</summary>
    internal sealed record Request(string Model, string Adapter, string Output, bool Force, bool Verify);
}

/// <summary>The JSON of <c>lorta export</c>.</summary>
internal sealed record ExportResult(string Output, double? MaxAbsDiff, double? MaxRelDiff, long BytesWritten, Rounding? Rounding, bool Ok) : IVerdict
{
    /// <summary>What the stored numbers do to the loss, if asked for.</summary>
    public Losses? Loss { get; init; }
}

/// <summary>Losses on the same data.</summary>
/// <param name="Adapted">Of base and adapter.</param>
/// <param name="Exported">Of the exported file.</param>
internal sealed record Losses(double Adapted, double Exported);
