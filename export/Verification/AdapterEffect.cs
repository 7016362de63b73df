using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verification;

/// <summary>What an adapter does to the outputs of its base, and how much of it a folded file keeps.</summary>
internal sealed class AdapterEffect
{
    // Less than float32 rounds in a deep network is no effect.
    private const double Noise = 1e-6;

    private readonly double _norm;

    private AdapterEffect(ModelOutputs adapted, double norm) => (Adapted, _norm) = (adapted, norm);

    /// <summary>Outputs of the base with the adapter.</summary>
    public ModelOutputs Adapted { get; }

    /// <summary>Measures an adapter in the canonical graph of its base, once on and once off.</summary>
    public static AdapterEffect Of(ModelRunner runner, Model deployed, AdapterFolder adapter, bool allowOtherBase)
    {
        var model = AdaptedModels.Switchable(deployed, adapter, allowOtherBase);
        var outputs = runner.Run(model.Model, [new Dictionary<string, Tensor>(), model.Off]);
        var difference = OutputDifference.Between(outputs[0], outputs[1]);
        return new AdapterEffect(outputs[0], difference.Norm > Noise * difference.SizeNorm ? difference.Norm : 0);
    }

    /// <summary>1 − ‖folded − adapted‖ / ‖adapted − base‖; null where the adapter changes nothing.</summary>
    /// <param name="folded">The folded file's distance from <see cref="Adapted"/>.</param>
    public double? Kept(OutputDifference folded) => _norm == 0 ? null : 1 - (folded.Norm / _norm);

    /// <summary>A verdict with the share that is kept.</summary>
    /// <param name="result">The verdict on the difference.</param>
    /// <param name="folded">The folded file's distance from <see cref="Adapted"/>.</param>
    /// <param name="isAsked">Whether the share decides, where there is one.</param>
    public VerifyResult Judge(VerifyResult result, OutputDifference folded, bool isAsked)
    {
        var kept = Kept(folded);
        return result with { EffectKept = kept, Ok = isAsked && kept is not null ? kept >= VerifyResult.LeastEffect : result.Ok };
    }
}
