using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>Lets a graph compute in float64 wherever ONNX Runtime has a kernel for that on the CPU; the other operators stay between two
/// casts.</summary>
/// <remarks>The stored numbers stay what they are. Rounding of the loss falls from about 1e-7 to 1e-9 or less, so that steps may be too
/// small for curvature and kinks.</remarks>
internal sealed class DoublePrecision
{
    private const long LargeWeights = 512L << 20;   // bytes of stored float32 numbers above which products with them stay as they are
    private const long LargeWeight = 64 << 10;

    private static readonly FrozenSet<string> Kernels = FrozenSet.ToFrozenSet(
    [
        "Abs", "Neg", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Sin", "Cos", "Tanh", "Sigmoid", "Relu",
        "Shrink", "Clip", OrtOps.QuickGelu, OrtOps.FastGelu,
        "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mod", "Sum", "Where",
        "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "IsNaN", "IsInf",
        "Softmax", "LogSoftmax", "LayerNormalization", "SimplifiedLayerNormalization", "LpNormalization", "GroupNormalization",
        "BatchNormalization", "MatMul", "Gemm", "Einsum", OrtOps.FusedMatMul, "MaxPool", "GridSample",
        "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
        "ReduceSumSquare", "CumSum", "TopK",
        "Identity", "Cast", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile", "Transpose", "Trilu",
        "Concat", "Split", "Slice", "Pad", "ReverseSequence", "Compress", "DepthToSpace", "SpaceToDepth",
        "Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND",
    ], StringComparer.Ordinal);

    private readonly Graph _graph;
    private readonly Dictionary<Value, Value> _wide = [];
    private readonly Dictionary<Value, Value> _narrow = [];
    private readonly bool _areWeightsLarge;

    private DoublePrecision(Graph graph)
    {
        _graph = graph;
        _areWeightsLarge = graph.Initializers.Where(value => value.Type == ElementType.Float)
            .Sum(value => value.Constant!.ByteCount) > LargeWeights;
    }

    /// <summary>Names of the operators that are computed in float64.</summary>
    internal static IReadOnlySet<string> Operators => Kernels;

    /// <summary>Changes a model.</summary>
    /// <param name="model">Its outputs become float64 where the operators before them are.</param>
    /// <param name="inputs">The float inputs that become float64.</param>
    public static void Widen(OnnxModel model, IReadOnlySet<string> inputs)
    {
        var widening = new DoublePrecision(model.Graph);
        foreach (var input in model.Graph.Inputs.Where(input => inputs.Contains(input.Name)))
            (input.Type, input.Declaration) = (ElementType.Double, default);
        foreach (var node in model.Graph.Nodes.ToArray())
        {
            if (Kernels.Contains(node.Op) && !widening.StaysNarrow(node)) widening.Widen(node);
            else widening.SetInputs(node, ElementType.Double, widening._narrow, ElementType.Float);
        }
    }

    private bool StaysNarrow(Node node) =>
        (node.Op == "Cast" && (ElementType)node.Int("to", 0) != ElementType.Float)
        || (_areWeightsLarge && node.Inputs.Any(input => input is { Type: ElementType.Float, IsConstant: true }
            && input.Constant!.ByteCount > LargeWeight));

    // Values do not change their type, so the node gives way to one with other outputs; statistics that nobody reads, which would stay
    // float32, are left out.
    private void Widen(Node node)
    {
        SetInputs(node, ElementType.Float, _wide, ElementType.Double);
        var outputs = node.Outputs.Select(output => IsRead(output) ? Twin(output!) : null).ToList();
        while (outputs.Count > 1 && outputs[^1] is null) outputs.RemoveAt(outputs.Count - 1);
        var wide = node.On(node.Inputs, outputs);
        if (node.Op == "Cast") wide.Attributes["to"] = (long)ElementType.Double;
        _graph.Add(wide, after: node);
        foreach (var (old, replacement) in node.Outputs.Zip(outputs)) if (replacement is not null) _graph.ReplaceUses(old!, replacement);
        _graph.Remove(node);

        bool IsRead(Value? output) => output is not null
            && (output == node.Output || !HasStatistics(node) || output.Uses.Count > 0 || _graph.IsOutput(output));

        Value Twin(Value output) => _graph.AddValue($"{output.Name}/double", Wider(output.Type), output.Shape);
    }

    private static bool HasStatistics(Node node) =>
        node.Op is "LayerNormalization" or "SimplifiedLayerNormalization" or "Dropout" or "MaxPool";

    private static ElementType Wider(ElementType type) => type == ElementType.Float ? ElementType.Double : type;

    private void SetInputs(Node node, ElementType from, Dictionary<Value, Value> twins, ElementType to)
    {
        for (var i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Inputs[i] is not { } input || input.Type != from) continue;
            if (!twins.TryGetValue(input, out var twin))
            {
                twins[input] = twin = _graph.AddValue($"{input.Name}/{to.Display()}", to, input.Shape);
                var cast = new Node("Cast", string.Empty, [input], [twin]) { Name = twin.Name };
                cast.Attributes["to"] = (long)to;
                _graph.InsertBefore(cast, node);
            }
            node.SetInput(i, twin);
        }
    }
}
