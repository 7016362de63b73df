using static LoRTA.Onnx.GraphGen.Tests.Autodiff.GradientInput;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

/// <summary>One row per rule and awkward case.</summary>
internal static class GradientTable
{
    public static readonly IReadOnlyList<GradientCase> All = [.. Elementwise(), .. Periodic(), .. Activations(), .. Products(), .. Einsums(), .. Norms(), .. Reductions(), .. Shapes(), .. Indexing(), .. FeatureMapTable.All];

    private static IEnumerable<GradientCase> Elementwise() =>
    [
        new("Identity", Any(2, 3)),
        new("Cast", Any(2, 3)) { Attributes = [("to", 1)] },
        new("CastLike", Any(2, 3), Number(1)),
        .. from op in new[] { "Add", "Sub", "Mul", "Div" }
           from shapes in new (long[], long[])[] { ([2, 3], [2, 3]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1, 3], [4, 1]), ([2, 3], []), ([1, 1], [2, 3]), ([], [2]) }
           select new GradientCase(op, Any(shapes.Item1), Positive(shapes.Item2)) { Note = $"[{string.Join(',', shapes.Item1)}] [{string.Join(',', shapes.Item2)}]" },
        new("Sum", Any(2, 3), Any(3), Any(1)),
        new("Mean", Any(2, 3), Any(3), Any(1)),
        new("Neg", Any(2, 3)),
        new("Abs", Apart(2, 3)),
        new("Sqrt", Positive(2, 3)),
        new("Reciprocal", Positive(2, 3)),
        new("Exp", Any(2, 3)),
        new("Log", Positive(2, 3)),
        new("Dropout", Any(2, 3)),
        .. new[] { 1f, 2f, 3f, 0.5f, -1f, 1.7f, -0.5f }.Select(exponent => new GradientCase("Pow", Positive(2, 3), Number(exponent)) { Note = $"{exponent}" }),
        new("Pow", Any(2, 3), Number(2)) { Note = "2 of any sign" },
        new("Pow", Any(2, 3), Long(2)) { Note = "integer exponent" },
        new("Pow", Positive(2, 3), Positive(3)) { Note = "exponent moves" },
        new("Max", Apart(2, 3), Apart(2, 3)),
        new("Max", Apart(2, 3), Apart(1), Apart(3)) { Note = "three, broadcast" },
        new("Min", Apart(2, 3), Apart(2, 1)) { Note = "broadcast" },
        new("Clip", Apart(3, 4), Number(-0.5f), Number(0.5f)),
        new("Clip", Apart(3, 4), null, Number(0.5f)) { Note = "no minimum" },
        new("Clip", Apart(3, 4)) { Note = "no bounds" },
        new("Where", Fixed([2, 3], true, false, true, false, false, true), Any(2, 3), Any(2, 3)),
        new("Where", Fixed([2, 1], true, false), Any(3), Any()) { Note = "broadcast" },
        new("Where", Fixed([3], true, false, true), Any(1), Any(4, 2, 1)) { Note = "condition broadcast" },
    ];

    private static IEnumerable<GradientCase> Periodic() =>
    [
        new("Sin", Any(2, 3)),
        new("Cos", Any(2, 3)),
        new("Tan", Small(2, 3)),
        new("Asin", Small(2, 3)),
        new("Acos", Small(2, 3)),
        new("Atan", Any(2, 3)),
        new("Sinh", Any(2, 3)),
        new("Cosh", Any(2, 3)),
        new("Asinh", Any(2, 3)),
        new("Acosh", Above(1.1f, 2, 3)),
        new("Atanh", Small(2, 3)),
        new("Mod", Apart(2, 3), Above(3.2f, 3)) { Note = "broadcast", Attributes = [("fmod", 1)] },
        new("Mod", Above(7.3f, 2, 2), Fixed([2], 2f, -3f)) { Note = "several times", Attributes = [("fmod", 1)] },
    ];

    private static IEnumerable<GradientCase> Activations() =>
    [
        new("Relu", Apart(3, 4)),
        new("LeakyRelu", Apart(3, 4)) { Attributes = [("alpha", 0.2f)] },
        new("Elu", Apart(3, 4)) { Attributes = [("alpha", 1.5f)] },
        new("Selu", Apart(5, 6)),
        new("Selu", Apart(3, 4)) { Note = "own numbers", Attributes = [("alpha", 1.3f), ("gamma", 0.8f)] },
        new("Celu", Any(3, 4)) { Attributes = [("alpha", 1.7f)] },
        new("PRelu", Apart(2, 3, 4), Any(4)),
        new("PRelu", Apart(2, 3, 4), Any(3, 1)) { Note = "one slope a channel" },
        new("ThresholdedRelu", Apart(5, 6)) { Attributes = [("alpha", 0.4f)] },
        new("Shrink", Apart(5, 6)) { Attributes = [("lambd", 0.6f), ("bias", 0.3f)] },
        new("Softsign", Apart(3, 4)),
        new("Mish", Any(3, 4)),
        new("Tanh", Any(3, 4)),
        new("Sigmoid", Any(3, 4)),
        new("Softplus", Any(3, 4)),
        new("HardSwish", Apart(5, 6)),
        new("HardSigmoid", Apart(5, 6)),
        new("Erf", Any(3, 4)),
        new("Gelu", Any(3, 4)),
        new("Gelu", Any(3, 4)) { Note = "tanh", Attributes = [("approximate", "tanh")] },
        new("com.microsoft::Gelu", Any(3, 4)),
        new("com.microsoft::BiasGelu", Any(2, 3, 4), Any(4)),
        new("com.microsoft::FastGelu", Any(2, 3, 4), Any(4)),
        new("com.microsoft::FastGelu", Any(2, 3, 4)) { Note = "no bias" },
        new("com.microsoft::QuickGelu", Any(3, 4)),
        new("com.microsoft::QuickGelu", Any(3, 4)) { Note = "SiLU", Attributes = [("alpha", 1f)] },
    ];

    private static IEnumerable<GradientCase> Products() =>
    [
        .. from shapes in new (long[], long[])[]
           {
               ([2, 3], [3, 4]), ([2, 5, 3], [3, 4]), ([2, 5, 3], [2, 3, 4]), ([2, 2, 5, 3], [2, 3, 4]), ([5, 3], [2, 3, 4]), ([2, 1, 5, 3], [4, 3, 2]), ([1, 5, 3], [4, 3, 2]),
               ([3], [3, 4]), ([2, 3], [3]), ([3], [3]), ([2, 5, 3], [3]), ([3], [2, 3, 4]),
           }
           select new GradientCase("MatMul", Any(shapes.Item1), Any(shapes.Item2)) { Note = $"[{string.Join(',', shapes.Item1)}] [{string.Join(',', shapes.Item2)}]" },
        .. from shape in new (long[] Lead, bool Flat)[] { ([], true), ([2], true), ([2], false), ([2, 3], false) }
           from transA in new[] { false, true }
           from transB in new[] { false, true }
           select new GradientCase("com.microsoft::FusedMatMul", Any([.. shape.Lead, .. Turn(transA, 5, 3)]), Any([.. shape.Flat ? [] : shape.Lead, .. Turn(transB, 3, 4)]))
           {
               Note = $"rank {shape.Lead.Length + 2}{(shape.Flat ? " by weight" : string.Empty)}, transA {transA}, transB {transB}",
               Attributes = [("transA", transA ? 1 : 0), ("transB", transB ? 1 : 0), ("alpha", 0.7f)],
           },
        .. from transA in new[] { false, true }
           from transB in new[] { false, true }
           select new GradientCase("Gemm", Any(Turn(transA, 5, 3)), Any(Turn(transB, 3, 4)), Any(4))
           {
               Note = $"transA {transA}, transB {transB}",
               Attributes = [("transA", transA ? 1 : 0), ("transB", transB ? 1 : 0), ("alpha", 0.7f), ("beta", 1.3f)],
           },
        new("Gemm", Any(5, 3), Any(3, 4)) { Note = "without c" },
        new("Gemm", Any(5, 3), Any(3, 4), Any(5, 1)) { Note = "c broadcast along rows" },
        new("com.microsoft::MatMulNBits", Any(2, 3, 64), Bytes(5, 4, 8), Scales(20), Bytes(5, 2)) { Note = "4 bits", Attributes = [("K", 64), ("N", 5), ("bits", 4), ("block_size", 16)] },
        new("com.microsoft::MatMulNBits", Any(3, 64), Bytes(5, 2, 16), Scales(10)) { Note = "4 bits around 8", Attributes = [("K", 64), ("N", 5), ("bits", 4), ("block_size", 32)] },
        new("com.microsoft::MatMulNBits", Any(3, 64), Bytes(5, 2, 32), Scales(10), Bytes(5, 2), null, Any(5)) { Note = "8 bits, bias", Symbolic = false, Attributes = [("K", 64), ("N", 5), ("bits", 8), ("block_size", 32)] },
    ];

    private static IEnumerable<GradientCase> Einsums() =>
    [
        .. new (string, long[], long[])[]
           {
               ("ij,jk->ik", [2, 3], [3, 4]), ("bhid,bhjd->bhij", [2, 2, 3, 4], [2, 2, 5, 4]), ("bi,bi->b", [2, 3], [2, 3]), ("i,j->ij", [2], [3]), ("bij,jk->bki", [2, 3, 4], [4, 5]),
           }
           .Select(row => new GradientCase("Einsum", Any(row.Item2), Any(row.Item3)) { Note = row.Item1, Attributes = [("equation", row.Item1)] }),
        new("Einsum", Any(2, 3, 4)) { Note = "one operand", Attributes = [("equation", "bij->jbi")] },
        new("Einsum", Any(2, 3, 4)) { Note = "a sum", Attributes = [("equation", "bij->i")] },
        .. new (string, long[], long[])[]
           {
               ("...ij,...jk->...ik", [2, 2, 3, 4], [2, 2, 4, 5]), ("...i,ij->...j", [2, 3, 4], [4, 5]), ("...ij,...jk", [2, 3, 4], [2, 4, 5]),
               ("ij,jk", [2, 3], [3, 4]), ("ij,kl->il", [2, 3], [3, 4]), ("...i,...i->...", [2, 1, 4], [2, 3, 4]),
           }
           .Select(row => new GradientCase("Einsum", Any(row.Item2), Any(row.Item3)) { Note = row.Item1, Attributes = [("equation", row.Item1)] }),
        new("Einsum", Any(2, 3), Any(3, 4), Any(4)) { Note = "three operands", Attributes = [("equation", "ij,jk,k->i")] },
    ];

    private static IEnumerable<GradientCase> Norms() =>
    [
        new("Softmax", Any(2, 3, 4)),
        new("Softmax", Any(2, 3, 4)) { Note = "axis 1", Attributes = [("axis", 1)] },
        new("LogSoftmax", Any(2, 3, 4)),
        new("LogSoftmax", Any(2, 3, 4)) { Note = "axis -2", Attributes = [("axis", -2)] },
        new("LayerNormalization", Any(2, 3, 8), Any(8), Any(8)),
        new("LayerNormalization", Any(2, 3, 8), Any(8)) { Note = "no bias" },
        new("LayerNormalization", Any(2, 3, 4), Any(3, 4), Any(3, 4)) { Note = "two axes", Attributes = [("axis", 1), ("epsilon", 0.1f)] },
        new("SimplifiedLayerNormalization", Any(2, 3, 8), Any(8)) { Attributes = [("axis", -1), ("epsilon", 0.01f)] },
    ];

    private static IEnumerable<GradientCase> Reductions() =>
    [
        .. from op in new[] { "ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMin" }
           from row in new (long[]? Axes, long Keep)[] { ([1], 1), ([-1], 0), ([0, -1], 0), ([0, 2], 1), (null, 0), (null, 1) }
           select new GradientCase(op, Apart(2, 3, 4), row.Axes is null ? null : Longs(row.Axes))
           {
               Note = $"axes {(row.Axes is null ? "all" : string.Join(',', row.Axes))}, keepdims {row.Keep}",
               Attributes = [("keepdims", row.Keep)],
           },
        new("ReduceSum", Any(2, 3)) { Note = "no-op", Attributes = [("noop_with_empty_axes", 1)] },
        new("CumSum", Any(2, 5), Long(1)),
        new("CumSum", Any(2, 5), Long(-2)) { Note = "exclusive, reverse", Attributes = [("exclusive", 1), ("reverse", 1)] },
        new("ReduceLogSum", Positive(2, 3, 4), Longs(1)),
        new("ReduceLogSum", Positive(2, 3)) { Note = "everything", Attributes = [("keepdims", 0)] },
        new("ReduceProd", Any(2, 3, 4), Longs(1)),
        new("ReduceProd", Positive(2, 3), Longs(-1)) { Note = "axes go", Attributes = [("keepdims", 0)] },
    ];

    private static IEnumerable<GradientCase> Shapes() =>
    [
        new("Reshape", Any(2, 3, 4), Longs(6, 4)),
        new("Reshape", Any(2, 3, 4), Longs(0, -1)) { Note = "0 and -1" },
        new("Flatten", Any(2, 3, 4)) { Attributes = [("axis", 2)] },
        new("Squeeze", Any(2, 1, 4, 1), Longs(1, -1)),
        new("Unsqueeze", Any(2, 4), Longs(0, -1)),
        new("Expand", Any(3, 1), Longs(2, 1, 4)) { Note = "both ways" },
        new("Expand", Any(2, 3), Longs(1, 1)) { Note = "to itself" },
        new("Transpose", Any(2, 3, 4)) { Attributes = [("perm", (long[])[1, 2, 0])] },
        new("Transpose", Any(2, 3, 4)) { Note = "reversed" },
        new("Trilu", Any(4, 5)) { Attributes = [("upper", 0)] },
        new("Trilu", Any(2, 4, 5), Long(1)) { Note = "above the diagonal" },
        new("Concat", Any(2, 3), Any(2, 1), Any(2, 4)) { Attributes = [("axis", -1)] },
        new("Concat", Any(2, 3)) { Note = "one", Attributes = [("axis", 0)] },
        new("Split", Any(2, 7), Longs(1, 4, 2)) { Note = "uneven", Outputs = 3, Attributes = [("axis", -1)] },
        new("Split", Any(6, 2)) { Note = "even", Outputs = 3, Attributes = [("num_outputs", 3)] },
        new("Slice", Any(4, 6), Longs(1, 2), Longs(3, 5)) { Note = "no axes" },
        new("Slice", Any(4, 6), Longs(-3), Longs(-1), Longs(1)) { Note = "from the end" },
        new("Slice", Any(4, 6), Longs(2), Longs(long.MaxValue), Longs(-1)) { Note = "to the end" },
        new("Slice", Any(4, 6), Longs(0, 1), Longs(4, 6), Longs(0, 1), Longs(2, 3)) { Note = "steps" },
        new("Slice", Any(4, 6), Longs(-1, 4), Longs(long.MinValue, 0), Longs(0, 1), Longs(-1, -2)) { Note = "backwards" },
        new("Pad", Any(2, 3), Longs(1, 0, 2, 1)),
        new("Pad", Any(2, 3), Longs(1, 2), Number(7), Longs(-1)) { Note = "one axis, a value" },
        new("Pad", Any(4, 5), Longs(-1, 0, 0, -2)) { Note = "cut off" },
        new("Tile", Any(2, 3), Longs(2, 3)),
        new("Tile", Any(2, 3), Longs(1, 1)) { Note = "once" },
    ];

    private static IEnumerable<GradientCase> Indexing() =>
    [
        new("Gather", Any(5, 3), Fixed<long>([2, 2], 1, 4, 1, 1)) { Note = "repeats" },
        new("Gather", Any(5, 3), Fixed<long>([3], 2, -1, 2)) { Note = "from the end" },
        new("Gather", Any(2, 5, 3), Fixed<long>([2, 2], 0, 4, 4, 0)) { Note = "axis 1", Attributes = [("axis", 1)] },
        new("Gather", Any(2, 3, 5), Fixed<long>([3], 0, 4, 4)) { Note = "axis -1", Attributes = [("axis", -1)] },
        new("Gather", Any(2, 5, 3), Long(3)) { Note = "scalar", Attributes = [("axis", 1)] },
        new("Gather", Any(5), Long(3)) { Note = "one element" },
        new("Gather", Any(4, 3), Fixed([2], 1, 1)) { Note = "int32" },
        new("GatherElements", Any(3, 4), Fixed<long>([2, 3], 0, 2, 2, 1, 2, 0)),
        new("GatherElements", Any(3, 4), Fixed<long>([3, 1], -1, 2, 0)) { Note = "axis -1", Attributes = [("axis", -1)] },
        new("GatherND", Any(3, 4), Fixed<long>([3, 2], 0, 1, 2, 3, 0, 1)),
        new("GatherND", Any(2, 3, 4), Fixed<long>([2, 2, 1], 0, 1, 2, 2)) { Note = "batch", Attributes = [("batch_dims", 1)] },
        new("ScatterElements", Any(3, 4), Fixed<long>([2, 2], 0, 1, 2, 0), Any(2, 2)) { Attributes = [("axis", 0)] },
        new("ScatterElements", Any(3, 4), Fixed<long>([3, 2], 0, 0, 2, 3, 1, 1), Any(3, 2)) { Note = "added", Attributes = [("axis", 1), ("reduction", "add")] },
        .. new[] { "max", "min" }.Select(reduction =>
            new GradientCase("ScatterElements", Apart(3, 4), Fixed<long>([2, 2], 0, 1, 2, 0), Apart(2, 2)) { Note = reduction, Attributes = [("axis", 0), ("reduction", reduction)] }),
        new("ScatterND", Any(3, 4), Fixed<long>([2, 1], 2, 0), Any(2, 4)),
        new("ScatterND", Any(3, 4, 2), Fixed<long>([2, 2, 2], 0, 1, 2, 3, 1, 1, 0, -1), Any(2, 2, 2)) { Note = "pairs of indices, from the end" },
        new("ScatterND", Any(3, 4), Fixed<long>([3, 1], 2, 0, 2), Any(3, 4)) { Note = "added", Attributes = [("reduction", "add")] },
        new("TopK", Apart(3, 5), Longs(2)) { Outputs = 2 },
        new("TopK", Apart(4, 3), Longs(2)) { Note = "smallest, axis 0", Outputs = 2, Attributes = [("axis", 0), ("largest", 0)] },
        new("Compress", Any(3, 4), Fixed([3], true, false, true)) { Note = "axis 0", Attributes = [("axis", 0)] },
        new("Compress", Any(2, 3), Fixed([5], false, true, true, false, true)) { Note = "flat" },
        new("ReverseSequence", Any(4, 3, 2), Longs(4, 1, 3)) { Attributes = [("time_axis", 0), ("batch_axis", 1)] },
        new("ReverseSequence", Any(3, 4), Longs(2, 4, 1)) { Note = "rows", Attributes = [("time_axis", 1), ("batch_axis", 0)] },
    ];

    private static GradientInput Bytes(params long[] shape) => Fixed(shape, [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(i => (byte)(i * 73))]);

    private static GradientInput Scales(int count) => Fixed([count], [.. Enumerable.Range(0, count).Select(i => 0.02f + (0.003f * i))]);

    private static long[] Turn(bool turn, long rows, long columns) => turn ? [columns, rows] : [rows, columns];
}
