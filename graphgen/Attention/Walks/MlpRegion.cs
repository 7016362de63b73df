using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>What lies between the last linear layer of an MLP and the first ones: activation, gating, moves of rows.</summary>
/// <remarks>Every value of it has the features of the last layer's input on its last axis, in their order, so that feature i of that
/// input is made of feature i of each part.
/// <code>
/// Phi-3:       gate, up = split(x·W);     silu(gate)·up
/// ModernBERT:  input, gate = split(x·W);  gelu(input)·gate     here `input` is the gate, and `gate` is up
/// T5:          gelu(x·wi_0)·(x·wi_1)
/// BERT:        gelu(x·W)                                       up, no gate
/// </code></remarks>
internal sealed class MlpRegion
{
    private const int MostValues = 96;   // of an activation in pieces and what moves rows

    private static readonly FrozenSet<string> Activations = FrozenSet.Create(
        StringComparer.Ordinal,
        "Gelu", "Relu", "Tanh", "Sigmoid", "Erf", "Exp", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "Shrink",
        "Softplus", "Softsign", "HardSigmoid", "HardSwish", "Mish", "Swish", OrtOps.Gelu, OrtOps.FastGelu, OrtOps.QuickGelu);

    // They activate where nothing else does: max(x, 0).
    private static readonly FrozenSet<string> Limits = FrozenSet.Create(StringComparer.Ordinal, "Clip", "Max", "Min", "Where");

    private static readonly FrozenSet<string> Arithmetic = FrozenSet.Create(
        StringComparer.Ordinal,
        "Add", "Sub", "Mul", "Div", "Pow", "Neg", "Sqrt", "Reciprocal", "Log", "Sign", "Sum", "Greater", "GreaterOrEqual", "Less",
        "LessOrEqual", "Not", "LayerNormalization", "SimplifiedLayerNormalization");

    private readonly long _width;
    private readonly HashSet<Value> _values = [];
    private readonly List<ProjectionWalk> _parts = [];

    private MlpRegion(LinearLayer down) => _width = down.In;

    /// <summary>The ways from each part (gate, up) to the linear layer that makes it.</summary>
    public IReadOnlyList<ProjectionWalk> Parts => _parts;

    /// <summary>The value at which reading stopped; null where all of the input is made of the parts.</summary>
    public Value? Stop { get; private set; }

    /// <summary>Reads backwards from the input of an MLP's last layer.</summary>
    public static MlpRegion Before(LinearLayer down)
    {
        var region = new MlpRegion(down);
        var open = new Stack<Value>([down.Input]);
        while (open.TryPop(out var value) && region.Stop is null)
            if (!value.IsConstant && region._values.Add(value)) region.Visit(value, open);
        return region;
    }

    /// <summary>What each part is: <c>gate</c> where the activation is on its way, else <c>up</c>; a part that is alone is <c>up</c>. Null
    /// where the parts do not tell.</summary>
    public IReadOnlyList<(string Matrix, ProjectionWalk Walk)>? Roles()
    {
        if (_parts is [var single]) return HasOnItsWay(single, Activations) || HasOnItsWay(single, Limits) ? [("up", single)] : null;
        if (_parts is not [var first, var second]) return null;
        foreach (var kind in new[] { Activations, Limits })
        {
            var (isFirst, isSecond) = (HasOnItsWay(first, kind), HasOnItsWay(second, kind));
            if (isFirst != isSecond) return isFirst ? [("gate", first), ("up", second)] : [("gate", second), ("up", first)];
            if (isFirst) return null;   // both are activated
        }
        return null;
    }

    private void Visit(Value value, Stack<Value> open)
    {
        if (value.Shape is not { Rank: >= 1 } shape || !shape[^1].Is(_width) || _values.Count > MostValues)
        {
            Stop = value;
        }
        else if (ProjectionWalk.BackToPart(value) is { Linear: not null } walk)
        {
            _parts.Add(walk);
        }
        else if (value.Producer is { } node && IsPartOfMlp(node))
        {
            foreach (var input in ViewOps.KeepsNumbers(node) ? node.Inputs.Take(1) : node.Inputs) if (input is not null) open.Push(input);
        }
        else
        {
            Stop = value;
        }
    }

    private static bool IsPartOfMlp(Node node) =>
        Activations.Contains(node.Op) || Limits.Contains(node.Op) || Arithmetic.Contains(node.Op)
            || (ViewOps.KeepsNumbers(node) && !MovesFeatures(node));

    private static bool MovesFeatures(Node node) =>
        node.Op == "Transpose" && !(node.Ints("perm") is [.., var last] order && last == order.Length - 1);

    private bool HasOnItsWay(ProjectionWalk part, FrozenSet<string> ops)
    {
        var (open, seen) = (new Stack<Value>([part.Values[0]]), new HashSet<Value>());
        while (open.TryPop(out var value))
        {
            foreach (var (node, _) in value.Uses)
            {
                if (!_values.Contains(node.Output) || !seen.Add(node.Output)) continue;
                if (ops.Contains(node.Op)) return true;
                open.Push(node.Output);
            }
        }
        return false;
    }
}
