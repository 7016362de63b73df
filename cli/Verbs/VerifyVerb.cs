using LoRTA.Onnx.Export.Verification;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta verify A B [--adapter DIR]</c>.</summary>
internal static class VerifyVerb
{
    private const int MostSamples = 10_000;
    private const int LongestRow = 100_000;   // together they stay countable

    public static Verb Create()
    {
        var (a, b, adapter, seed, runtime) = (Arg.Model("A"), Arg.Model("B"), Opt.Adapter(), Opt.Seed(), new RuntimeArguments());
        var inputs = Opt.Of<string?>("--inputs", "Inputs by name.", "FILE.safetensors");
        var samples = Opt.Within(Opt.Of("--samples", "Random rows.", 4), 1, MostSamples);
        var length = Opt.Within(Opt.Of("--length", "Their length.", 32), 1, LongestRow);
        var tolerance = Opt.NotNegative(Opt.Of<double?>("--tolerance", "Largest relative difference that passes (default 1e-5; 5e-3 for 16-bit weights)."));
        return Verb.Define("verify", "Run the same inputs through two models and compare.", [a, b, adapter, inputs, samples, length, tolerance, seed, .. runtime.Symbols], call =>
        {
            var (first, second) = (Model.Load(call.Get(a)), Model.Load(call.Get(b)));
            var options = new VerifyOptions
            {
                Inputs = call.Get(inputs),
                Samples = call.Get(samples),
                Length = call.Get(length),
                Seed = call.Get(seed) ?? 0,
                Tolerance = call.Get(tolerance) ?? Math.Max(ToleranceOf(first), ToleranceOf(second)),
            };
            var evaluator = new OrtGraphEvaluator(runtime.Settings(call));
            var result = Compare(first, second, call.Get(adapter) is { } folder ? AdapterFolder.Load(folder) : null, options, evaluator, allowOtherBase: true);
            return new Verdict(result, result.Ok);
        });
    }

    internal static VerifyResult Compare(Model a, Model b, AdapterFolder? adapter, VerifyOptions options, OrtGraphEvaluator evaluator, bool allowOtherBase)
    {
        var first = adapter is null ? a : AdaptedModels.WithDefaults(a, adapter, allowOtherBase);
        return new Verifier(evaluator).Compare(first, b, options);
    }

    /// <summary>Weights in 16 bits round results to about three digits.</summary>
    internal static double ToleranceOf(Model model) => model.Graph.Initializers.Any(value => value.Constant is { Rank: 2, Type: ElementType.Float16 or ElementType.BFloat16 }) ? 5e-3 : 1e-5;
}
