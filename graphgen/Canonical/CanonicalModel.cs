using System.Diagnostics.Metrics;
using LoRTA.Onnx.GraphGen.Canonical.Fused;
using LoRTA.Onnx.GraphGen.Canonical.Opsets;
using LoRTA.Onnx.GraphGen.Canonical.Pieces;
using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Canonical.Views;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>The training copy of a model: the same computation in one small vocabulary (opset 21), and for each weight where it lies in the
/// deployed file.</summary>
public sealed class CanonicalModel
{
    internal const long Opset = 21;
    private const long IrVersion = 10;

    private static readonly Meter Meter = new("LoRTA.Onnx.GraphGen");
    private static readonly Counter<long> Made = Meter.CreateCounter<long>("lorta.canonical_models", description: "Models that were read.");

    private readonly IReadOnlyDictionary<Value, StoredValue> _stored;
    private readonly IReadOnlyDictionary<Value, WeightFactor> _factors;

    private CanonicalModel(Rewriting rewriting, AttentionForms attention)
    {
        Made.Add(1, KeyValuePair.Create<string, object?>("path", rewriting.Deployed.Path));
        Deployed = rewriting.Deployed;
        Model = rewriting.Model;
        _stored = rewriting.Stored;
        _factors = rewriting.Factors;
        Declined = rewriting.Declined;
        Cores = attention.Cores;
        HasAttention = attention.Cores.Count + attention.Findings.Count > 0;
        Findings = [.. rewriting.Findings, .. attention.Findings];
    }

    private CanonicalModel(CanonicalModel original, ModelCopy copy)
    {
        Deployed = original.Deployed;
        Model = copy.Model;
        Findings = original.Findings;
        HasAttention = original.HasAttention;
        _stored = Mapped(original._stored, copy);
        _factors = Mapped(original._factors, copy);
        Declined = new Dictionary<Node, IReadOnlyList<string>>();   // a copy is changed, not explained
        Cores = [.. original.Cores.Select(core => core.CopyIn(copy))];
        foreach (var node in original.Model.Graph.Nodes) copy[node].Source = node.Source;
    }

    /// <summary>The model as it was given; never changed.</summary>
    public OnnxModel Deployed { get; }

    /// <summary>The training copy.</summary>
    public OnnxModel Model { get; }

    /// <summary>What was changed in meaning, left alone or not understood.</summary>
    public IReadOnlyList<Finding> Findings { get; }

    /// <summary>Whether there is anything that looks like attention, understood or not.</summary>
    internal bool HasAttention { get; }

    /// <summary>Which forms were tried at a node that stayed, each with its reason for a "no".</summary>
    internal IReadOnlyDictionary<Node, IReadOnlyList<string>> Declined { get; }

    /// <summary>Attention, in the order of execution.</summary>
    internal IReadOnlyList<AttentionCore> Cores { get; }

    // The order in which forms are tried at each node. A form sees the inputs of its node in their final spelling, because the graph is
    // walked from the inputs on; and what a form writes is not walked again, except for what it puts behind its node.
    internal static IReadOnlyList<Form> Forms { get; } =
    [
        // What the node means at opset 21: all that follows reads attributes and inputs of that opset alone.
        .. OpsetForms.All,

        // Whole operators come apart into the vocabulary: of newer opsets, of ONNX Runtime. None of them is of two of these kinds.
        .. Opset23Forms.All, .. FusedAttentionForms.All, .. FusedNormForms.All, .. FusedActivationForms.All, .. FusedProductForms.All,

        // What multiplies with a stored weight. Before the arithmetic on constants, which would take the scales of a weight for numbers
        // and lose where they belong; plain floats first, then features on other axes, then codes.
        .. WeightForms.All, .. ChannelForms.All, .. QuantizedForms.All, .. QLinearForms.All,

        // Other operators with an equal in the vocabulary.
        .. EinsumForms.All, .. ScatterForms.All,

        // What is known before the graph runs, then what does nothing: a stored tensor behind a Cast is a constant, not a passage.
        .. ConstantForms.All, .. PassThroughForms.All,

        // What the node completes, last: the pieces in front of it have become what they are.
        .. SoftmaxForms.All, .. NormForms.All, .. GeluForms.All,
    ];

    /// <summary>Makes the training copy.</summary>
    /// <param name="deployed">A model in the operators of any exporter.</param>
    /// <exception cref="LortaException">LRT121: inconsistent shapes; LRT203: an operator that cannot be brought to the canonical
    /// opset.</exception>
    public static CanonicalModel Of(OnnxModel deployed)
    {
        var rewriting = new Rewriting(deployed);
        HalfPrecision.Widen(rewriting);
        rewriting.Apply(Forms);
        rewriting.Graph.RemoveUnused();
        rewriting.Graph.Sort();
        rewriting.Model.IrVersion = IrVersion;
        rewriting.Model.OpsetVersions[string.Empty] = Opset;
        rewriting.Model.OpsetVersions[OrtOps.Domain] = 1;
        return new CanonicalModel(rewriting, AttentionForms.Find(rewriting.Graph, rewriting.Declined));
    }

    /// <summary>The same for whoever changes the graph; the model is not read again.</summary>
    internal (CanonicalModel Model, ModelCopy Copy) Copied()
    {
        var copy = ModelCopy.Of(Model);
        return (new CanonicalModel(this, copy), copy);
    }

    /// <summary>Where a constant of the canonical graph is stored; null for constants that no single stored tensor holds.</summary>
    public Origin? OriginOf(Value canonicalConstant) =>
        _stored.TryGetValue(canonicalConstant, out var stored) && Origin.Of(stored.Value) is { } origin
            ? origin with { Start = stored.Start }
            : null;

    /// <summary>The stored tensors whose numbers the file scales on the way to where they are applied, or in front of or behind that:
    /// other exports may store other numbers.</summary>
    internal IReadOnlySet<string> Scaled()
    {
        var scaled = Model.Graph.Initializers.Where(value => OriginOf(value) is { } origin
            && (origin.IsScaled || _factors.ContainsKey(value)));
        var between = Model.Graph.Nodes.Where(ScaledProducts.IsBetweenScales).Select(node => ScaledProducts.WeightOf(node)!)
            .Select(weight => weight.IsConstant ? weight : weight.Producer!.Operand(0));
        return scaled.Concat(between).Select(OriginOf).OfType<Origin>().Select(origin => origin.Initializer)
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The scales that a weight (of <c>MatMulNBits</c>: its scales) or bias of the canonical graph took in; null where there are
    /// none.</summary>
    internal WeightFactor? FactorOf(Value canonical) => _factors.GetValueOrDefault(canonical);

    // What was taken out of the graph is in no copy.
    private static Dictionary<Value, T> Mapped<T>(IReadOnlyDictionary<Value, T> byValue, ModelCopy copy) =>
        byValue.Where(entry => copy.Has(entry.Key)).ToDictionary(entry => copy[entry.Key], entry => entry.Value);
}
