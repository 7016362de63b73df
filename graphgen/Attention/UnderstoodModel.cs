using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.GraphGen.Attention;

/// <summary>A model, its training copy, and the attention that was found in it: made once, and passed on to whoever plans, checks, adapts
/// or folds.</summary>
public sealed class UnderstoodModel
{
    private UnderstoodModel(CanonicalModel canonical, AttentionMap map) => (Canonical, Map) = (canonical, map);

    /// <summary>The model as it was given; never changed.</summary>
    public OnnxModel Deployed => Canonical.Deployed;

    /// <summary>The training copy.</summary>
    public CanonicalModel Canonical { get; }

    /// <summary>The attention.</summary>
    public AttentionMap Map { get; }

    /// <summary>Understands a model, as far as that is possible: what is not understood is a finding.</summary>
    /// <exception cref="GraphGen.LortaException">LRT121: inconsistent shapes; LRT203: an operator that cannot be brought to the canonical
    /// opset.</exception>
    public static UnderstoodModel Of(OnnxModel deployed) => Of(CanonicalModel.Of(deployed));

    /// <summary>Reads the attention of a training copy.</summary>
    internal static UnderstoodModel Of(CanonicalModel canonical) => new(canonical, AttentionMap.Of(canonical));

    /// <summary>The same with a training copy of its own, for whoever changes that while others go on reading this one.</summary>
    internal UnderstoodModel Copy()
    {
        var (canonical, copy) = Canonical.Copied();
        return new(canonical, Map.CopyIn(copy));
    }
}
