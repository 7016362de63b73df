using LoRTA.Onnx.Export;
using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta verify A B [--adapter DIR]</c>.</summary>
internal static class VerifyVerb
{
    private const int MostSamples = 10_000;
    private const int LongestRow = 100_000;   // together they stay countable

    public static Verb Create()
    {
        var a = Arg.Model("A");
        var b = Arg.Model("B");
        var adapter = Opt.Adapter();
        var seed = Opt.Seed();
        var runtime = new RuntimeArguments();
        var inputs = Opt.Path("--inputs", "Inputs by name.", "FILE.safetensors");
        var data = Opt.Path("--data", "Compare on a recipe's validation data, as export --data does.", "RECIPE");
        var samples = Opt.Within(Opt.Of("--samples", "Number of random rows.", "N", 4), 1, MostSamples);
        var length = Opt.Within(
            Opt.Of<int?>("--length", "Length of the random rows in tokens (default 32; less for files of more than 1.2 GB).", "N"),
            1,
            LongestRow);
        var tolerance = Opt.NotNegative(Opt.Of<double?>("--tolerance",
            "Largest relative difference that passes (default 1e-5; 5e-3 for 16-bit weights; for an adapter in 8 bits or fewer: half of "
                + "its effect is kept).", "T"));
        return Verb.Define("verify", "Run the same inputs through two models and compare.",
            [a, b, adapter, data, inputs, samples, length, tolerance, seed, .. runtime.Symbols], call =>
        {
            call.Progress.Report(WorkProgress.Uncounted("reading the models"));
            var (first, second) = (OnnxModel.Load(call.Get(a)), OnnxModel.Load(call.Get(b)));
            var understood = new Lazy<UnderstoodModel>(() => UnderstoodModel.Of(first));
            var settings = runtime.Settings(call);
            var recipe = call.Get(data) is { } path ? RecipeArgument.OfModel(call, path, call.Get(a), settings) : null;
            var options = new VerifyOptions
            {
                Adapter = call.Get(adapter) is { } folder ? StoredAdapters.Load(folder, call.Catalog) : null,
                Inputs = call.Get(inputs),
                Batches = call.Get(inputs) is null && recipe is not null
                    ? RecipeBatches.Of(recipe, understood.Value.Canonical, call.Catalog).Held
                    : null,
                Samples = call.Get(samples),
                Length = call.Get(length),
                Seed = call.Get(seed) ?? 0,
                Tolerance = call.Get(tolerance),
                AllowOtherBase = true,
                Progress = call.Progress,
            };
            using var engine = new OrtEngine(settings);
            var result = understood.IsValueCreated || options.Adapter is not null
                ? engine.Compare(understood.Value, second, options)
                : engine.Compare(first, second, options);
            return new Verdict(result, result.Ok ? null : VerificationErrors.Differ(call.Get(a), call.Get(b), result));
        });
    }
}
