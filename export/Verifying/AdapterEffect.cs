using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>What an adapter does to the outputs of its base, and how much of it a folded file keeps.</summary>
internal sealed class AdapterEffect
{
    // Less than float32 rounds in a deep network is no effect.
    private const double Noise = 1e-6;

    private readonly double _norm;

    private AdapterEffect(ModelOutputs adapted, double norm, IReadOnlyDictionary<string, SecondMoments> moments)
    {
        Adapted = adapted;
        _norm = norm;
        Moments = moments;
    }

    /// <summary>Outputs of the base with the adapter.</summary>
    public ModelOutputs Adapted { get; }

    /// <summary>Second moments of the input of each site, by address; empty where none were asked for.</summary>
    public IReadOnlyDictionary<string, SecondMoments> Moments { get; }

    /// <summary>Whether the adapter changes anything.</summary>
    public bool IsAny => _norm > 0;

    /// <summary>Measures an adapter in the canonical graph of its base, once on and once off.</summary>
    /// <param name="runner">Runs the models.</param>
    /// <param name="model">The base with the adapter.</param>
    /// <param name="calibration">Batches on which second moments are measured, the adapter on.</param>
    public static AdapterEffect Of(ModelRunner runner, SwitchableModel model,
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>>? calibration = null)
    {
        var outputs = model.Model.Graph.Outputs.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
        var observed = calibration is null ? [] : Observed(model);
        using var open = runner.Open(model.Model);
        var adapted = open.RunAll(keeps: outputs.Contains);
        var difference = OutputDifference.Between(adapted, open.RunAll(model.Off, outputs.Contains));
        foreach (var batch in calibration ?? [])
        {
            var found = open.Run(batch);
            foreach (var (x, moments) in observed) moments.Add(found[x.Name], open.MaskOf(batch));
        }
        var norm = difference.Norm > Noise * difference.SizeNorm ? difference.Norm : 0;
        return new AdapterEffect(adapted, norm, model.Sites.Where(site => observed.ContainsKey(site.Value.Input))
            .ToDictionary(site => site.Key, site => observed[site.Value.Input], StringComparer.Ordinal));
    }

    /// <summary>1 − ‖folded − adapted‖ / ‖adapted − base‖; null where the adapter changes nothing.</summary>
    /// <param name="folded">The folded file's distance from <see cref="Adapted"/>.</param>
    public double? Kept(OutputDifference folded) => IsAny ? 1 - (folded.Norm / _norm) : null;

    /// <summary>A verdict with the share that is kept.</summary>
    /// <param name="result">The verdict on the difference.</param>
    /// <param name="folded">The folded file's distance from <see cref="Adapted"/>.</param>
    /// <param name="isAsked">Whether the share decides, where there is one.</param>
    public VerifyResult Judge(VerifyResult result, OutputDifference folded, bool isAsked)
    {
        var kept = Kept(folded);
        return result with { EffectKept = kept, Ok = isAsked && kept is not null ? kept >= VerifyResult.LeastEffect : result.Ok };
    }

    // The inputs of the adapted layers become outputs; layers that read the same x share its moments.
    private static Dictionary<Value, SecondMoments> Observed(SwitchableModel model)
    {
        var observed = new Dictionary<Value, SecondMoments>();
        foreach (var site in model.Sites.Values)
        {
            var x = site.Input;
            if (observed.ContainsKey(x) || x.Producer is null || x.Type != ElementType.Float) continue;
            observed[x] = new SecondMoments(site.In);
            if (!model.Model.Graph.IsOutput(x)) model.Model.Graph.AddOutput(x);
        }
        return observed;
    }
}
