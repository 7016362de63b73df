using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>Runs the same inputs through two models and compares what comes out, masked positions left out.</summary>
/// <param name="evaluator">Runs the models.</param>
public sealed class Verifier(IGraphEvaluator evaluator)
{
    private const double Exact = 1e-5;
    private const double HalfPrecision = 5e-3;   // weights in 16 bits round results to about three digits
    private const int FewBits = 8;

    /// <summary>Compares two models. Where one rounds activations when it runs, the verdict is on the canonical graphs of both, which do
    /// not.</summary>
    /// <exception cref="LortaException">LRT704 … LRT706: inputs or outputs do not fit.</exception>
    public VerifyResult Compare(OnnxModel a, OnnxModel b, VerifyOptions options) =>
        Compare(a, b, options, () => CanonicalModel.Of(a));

    internal VerifyResult Compare(OnnxModel a, OnnxModel b, VerifyOptions options, Func<CanonicalModel> canonical)
    {
        var runner = ModelRunner.Of(evaluator, options, b, a);
        var deployed = OutputDifference.Between(runner.Run(a), runner.Run(b));
        var judged = ActivationRounding.IsIn(a) || ActivationRounding.IsIn(b)
            ? OutputDifference.Between(runner.Run(canonical().Model), runner.Run(CanonicalModel.Of(b).Model))
            : deployed;
        return Verdict(judged, deployed.Largest, options.Tolerance ?? Exact);
    }

    /// <summary>Compares a model with an adapter beside it and a file that the adapter was exported into.</summary>
    /// <param name="a">The base.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="b">The exported file.</param>
    /// <param name="options">On what.</param>
    /// <exception cref="LortaException">LRT310, LRT311: an adapter of another model; LRT704 … LRT706: inputs or outputs do not
    /// fit.</exception>
    public VerifyResult Compare(OnnxModel a, Adapter adapter, OnnxModel b, VerifyOptions options) =>
        Compare(UnderstoodModel.Of(a), adapter, CanonicalModel.Of(b), options);

    /// <summary>Compares a model with an adapter beside it and the same model with the adapter folded in. Where that is into 8 bits or
    /// fewer, the rounding that keeps more of the adapter's effect is chosen first.</summary>
    /// <param name="a">The base.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="folded">The folded model; its weights are rounded as was chosen from now on.</param>
    /// <param name="options">On what.</param>
    /// <exception cref="LortaException">LRT704 … LRT706: inputs or outputs do not fit.</exception>
    public VerifyResult Compare(UnderstoodModel a, Adapter adapter, FoldedModel folded, VerifyOptions options)
    {
        if (folded.Bits > FewBits) return Compare(a, adapter, folded.Canonical, options);
        var runner = ModelRunner.Of(evaluator, options, a.Deployed);
        var effect = AdapterEffect.Of(runner, Switchable(a, adapter, options), Calibration.For(a.Deployed, options));
        var (judged, nearest) = Chosen(runner, effect, folded);
        var deployed = options.CanonicalOnly ? judged : OutputDifference.Between(effect.Adapted, runner.Run(folded.Model));
        return effect.Judge(Verdict(judged, deployed.Largest, options.Tolerance ?? DefaultTolerance(a.Deployed)), judged,
            isAsked: options.Tolerance is null) with
        { EffectNearest = nearest is { } compared ? effect.Kept(compared) : null };
    }

    /// <summary>The tolerance for a file that does not say otherwise.</summary>
    internal static double DefaultTolerance(OnnxModel model) =>
        model.Graph.Initializers.Any(value => value.Constant is { Rank: 2, Type: ElementType.Float16 or ElementType.BFloat16 })
        ? HalfPrecision
        : Exact;

    // No layer is rounded worse by its moments, but the model may be: both are tried.
    private static (OutputDifference Chosen, OutputDifference? Nearest) Chosen(ModelRunner runner, AdapterEffect effect, FoldedModel folded)
    {
        if (!effect.IsAny) return (With(null), null);
        var (calibrated, nearest) = (With(effect.Moments), With(null));
        var isNearestBetter = nearest.Norm < calibrated.Norm;
        folded.Choice.Decide(isNearestBetter ? null : effect.Moments);
        return (isNearestBetter ? nearest : calibrated, nearest);

        OutputDifference With(IReadOnlyDictionary<string, SecondMoments>? moments)
        {
            folded.Choice.Use(moments);
            folded.Round();
            return OutputDifference.Between(effect.Adapted, runner.Run(folded.Canonical.Model));
        }
    }

    internal VerifyResult Compare(UnderstoodModel a, Adapter adapter, CanonicalModel b, VerifyOptions options)
    {
        var runner = ModelRunner.Of(evaluator, options, b.Deployed, a.Deployed);
        var switchable = Switchable(a, adapter, options);
        var isOfFewBits = FoldedWeights.AreOfFewBits(a.Deployed, b, [.. switchable.Sites.Keys]);
        var effect = isOfFewBits ? AdapterEffect.Of(runner, switchable) : null;
        var adapted = effect?.Adapted ?? runner.Run(switchable.Model);
        var deployed = OutputDifference.Between(adapted, runner.Run(b.Deployed));
        var judged = effect is not null || ActivationRounding.IsIn(b.Deployed)
            ? OutputDifference.Between(adapted, runner.Run(b.Model))
            : deployed;
        var tolerance = options.Tolerance ?? Math.Max(DefaultTolerance(a.Deployed), DefaultTolerance(b.Deployed));
        var result = Verdict(judged, deployed.Largest, tolerance);
        return effect is null ? result : effect.Judge(result, judged, isAsked: options.Tolerance is null);
    }

    private SwitchableModel Switchable(UnderstoodModel a, Adapter adapter, VerifyOptions options) =>
        AdaptedModels.Switchable(a, adapter, options.AllowOtherBase, evaluator.Catalog);

    private static VerifyResult Verdict(OutputDifference judged, double deployed, double tolerance)
    {
        var relative = judged.Largest / Math.Max(judged.Size, double.Epsilon);
        return new VerifyResult(judged.Largest, relative, deployed, tolerance, null, relative <= tolerance);
    }
}
