using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export;

/// <summary>Runs the same inputs through two models and compares what comes out, masked positions left out.</summary>
public static class Verify
{
    private const double Exact = 1e-5;
    private const double HalfPrecision = 5e-3;   // weights in 16 bits round results to about three digits
    private const int FewBits = 8;

    /// <summary>Compares two models. Where one rounds activations when it runs, the verdict is on the canonical graphs of both, which do
    /// not.</summary>
    /// <param name="engine">Runs the models.</param>
    /// <param name="a">A model, with <see cref="VerifyOptions.Adapter"/> beside it where there is one.</param>
    /// <param name="b">Another model, for instance the file that the adapter was folded into.</param>
    /// <param name="options">On what, and how exactly; null = on random tokens.</param>
    /// <exception cref="LortaException">LRT310, LRT311: an adapter of another model; LRT704 … LRT706: inputs or outputs do not
    /// fit.</exception>
    public static VerifyResult Compare(this IGraphEvaluator engine, OnnxModel a, OnnxModel b, VerifyOptions? options = null) =>
        options?.Adapter is not null
            ? engine.Compare(UnderstoodModel.Of(a), b, options)
            : engine.Compare(a, b, options ?? new VerifyOptions(), () => CanonicalModel.Of(a));

    /// <inheritdoc cref="Compare(IGraphEvaluator, OnnxModel, OnnxModel, VerifyOptions)"/>
    public static VerifyResult Compare(this IGraphEvaluator engine, UnderstoodModel a, OnnxModel b, VerifyOptions? options = null) =>
        options?.Adapter is { } adapter
            ? engine.Compare(a, adapter, CanonicalModel.Of(b), options)
            : engine.Compare(a.Deployed, b, options ?? new VerifyOptions(), () => a.Canonical);

    private static VerifyResult Compare(
        this IGraphEvaluator engine, OnnxModel a, OnnxModel b, VerifyOptions options, Func<CanonicalModel> canonical)
    {
        var runner = ModelRunner.Of(engine, options, b, a);
        var deployed = OutputDifference.Between(runner.Run(a), runner.Run(b));
        var judged = ActivationRounding.IsIn(a) || ActivationRounding.IsIn(b)
            ? OutputDifference.Between(runner.Run(canonical().Model), runner.Run(CanonicalModel.Of(b).Model))
            : deployed;
        return Verdict(judged, deployed.Largest, ToleranceFor(options, a, b));
    }

    /// <summary>Compares a model with an adapter beside it and the same model with the adapter folded in. Where that is into 8 bits or
    /// fewer, the rounding that keeps more of the adapter's effect is chosen first.</summary>
    /// <param name="engine">Runs the models.</param>
    /// <param name="a">The base.</param>
    /// <param name="folded">The model with <see cref="VerifyOptions.Adapter"/> folded in, which must be given; its weights are rounded
    /// as was chosen from now on.</param>
    /// <param name="options">On what.</param>
    /// <exception cref="LortaException">LRT704 … LRT706: inputs or outputs do not fit.</exception>
    /// <exception cref="ArgumentException">The options name no adapter.</exception>
    public static VerifyResult Compare(this IGraphEvaluator engine, UnderstoodModel a, FoldedModel folded, VerifyOptions options)
    {
        var adapter = options.Adapter ?? throw new ArgumentException("Name the adapter that was folded.", nameof(options));
        if (folded.Bits > FewBits) return engine.Compare(a, adapter, folded.Canonical, options);
        var runner = ModelRunner.Of(engine, options, a.Deployed);
        var effect = AdapterEffect.Of(runner, engine.Switchable(a, adapter, options), Calibration.For(a.Deployed, options));
        var (judged, nearest) = Chosen(runner, effect, folded);
        var deployed = options.CanonicalOnly ? judged : OutputDifference.Between(effect.Adapted, runner.Run(folded.Model));
        return effect.Judge(Verdict(judged, deployed.Largest, ToleranceFor(options, a.Deployed)), judged,
            isAsked: options.Tolerance is null) with
        { EffectNearest = nearest is { } compared ? effect.Kept(compared) : null };
    }

    // Of models that do not say otherwise, by the widest rounding of their weights.
    private static double ToleranceFor(VerifyOptions options, params ReadOnlySpan<OnnxModel> models)
    {
        var isHalf = false;
        foreach (var model in models)
            isHalf |= model.Graph.Initializers.Any(
                value => value.Constant is { Rank: 2, Type: ElementType.Float16 or ElementType.BFloat16 });
        return options.Tolerance ?? (isHalf ? HalfPrecision : Exact);
    }

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

    private static VerifyResult Compare(
        this IGraphEvaluator engine, UnderstoodModel a, Adapter adapter, CanonicalModel b, VerifyOptions options)
    {
        var runner = ModelRunner.Of(engine, options, b.Deployed, a.Deployed);
        var switchable = engine.Switchable(a, adapter, options);
        var isOfFewBits = FoldedWeights.AreOfFewBits(a.Deployed, b, [.. switchable.Sites.Keys]);
        var effect = isOfFewBits ? AdapterEffect.Of(runner, switchable) : null;
        var adapted = effect?.Adapted ?? runner.Run(switchable.Model);
        var deployed = OutputDifference.Between(adapted, runner.Run(b.Deployed));
        var judged = effect is not null || ActivationRounding.IsIn(b.Deployed)
            ? OutputDifference.Between(adapted, runner.Run(b.Model))
            : deployed;
        var result = Verdict(judged, deployed.Largest, ToleranceFor(options, a.Deployed, b.Deployed));
        return effect is null ? result : effect.Judge(result, judged, isAsked: options.Tolerance is null);
    }

    private static SwitchableModel Switchable(this IGraphEvaluator engine, UnderstoodModel a, Adapter adapter, VerifyOptions options) =>
        AdaptedModels.Switchable(a, adapter, options.AllowOtherBase, engine.Catalog);

    private static VerifyResult Verdict(OutputDifference judged, double deployed, double tolerance)
    {
        var relative = judged.Largest / Math.Max(judged.Size, double.Epsilon);
        return new VerifyResult(judged.Largest, relative, deployed, tolerance, null, relative <= tolerance);
    }
}
