using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inference;

/// <summary>Rules one by one, held against ONNX Runtime: x is float [batch, sequence, 8], ids is int64 [batch, sequence].</summary>
public sealed class ShapeInferenceTests
{
    private static readonly OpCase[] Cases =
    [
        .. OpCase.Each((t, x, _, op) => t.Write(op, [x], 1),
            "Abs", "Neg", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Erf", "Sin", "Cos", "Tanh", "Sigmoid", "Relu", "LeakyRelu", "Elu", "Softplus",
            "HardSwish", "Mish", "Gelu", "IsNaN", "IsInf", "Softmax", "LogSoftmax", "Clip", "Identity", "Shape", "Size", "NonZero", "Flatten", "Transpose", "ArgMax", "ReduceSum",
            "ReduceMean", "RandomNormalLike", "RandomUniformLike"),
        .. OpCase.Each((t, x, _, op) => t.Write(op, [x, t.Longs(-1)], 1, ("keepdims", 0L)),
            "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"),
        .. OpCase.Each((t, x, _, op) => t.Write(op, [x, x.Row(0)], 1), "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"),
        .. OpCase.Each((t, x, _, op) => t.Write(op, [x.Apply("Greater", x), (x + 1).Apply("Less", x)], 1), "And", "Or", "Xor"),
        .. OpCase.Each((t, x, _, op) => t.Write(op, [x], 1), OrtOps.Gelu, OrtOps.FastGelu, OrtOps.QuickGelu),
        new("ReduceSum, no axes", (t, x, _) => t.Write("ReduceSum", [x, t.Constant(OnnxTensor.Of<long>([0], []))], 1, ("noop_with_empty_axes", 1L))),
        new("ReduceSum, axes as attribute", (t, x, _) => t.Write("ReduceSum", [x], 1, ("axes", new[] { 0L, -1 }), ("keepdims", 0L)), Opset: 11),
        new("Squeeze, axes as attribute", (t, x, _) => t.Write("Squeeze", [t.Op("Unsqueeze", [x], ("axes", new[] { 0L, 2 }))], 1, ("axes", new[] { 2L })), Opset: 11),
        new("Split, sizes as attribute", (t, x, _) => t.Write("Split", [x], 2, ("axis", -1L), ("split", new[] { 3L, 5 })), Opset: 11),
        new("Split, sizes", (t, x, _) => t.Write("Split", [x, t.Longs(3, 5)], 2, ("axis", -1L))),
        new("Split, equal", (t, x, _) => t.Write("Split", [x], 3, ("axis", 2L), ("num_outputs", 3L))),
        new("Not", (t, x, _) => t.Write("Not", [x.Apply("IsNaN")], 1)),
        new("Where", (t, x, _) => t.Write("Where", [x.Apply("IsNaN"), t.Scalar(0, ElementType.Float), x], 1)),
        new("Mod", (t, _, ids) => t.Write("Mod", [ids, t.Scalar(3, ElementType.Int64)], 1)),
        new("Cast", (t, x, _) => t.Write("Cast", [x], 1, ("to", (long)ElementType.Float16))),
        new("CastLike", (t, x, ids) => t.Write("CastLike", [x, ids], 1)),
        new("Dropout", (t, x, _) => t.Write("Dropout", [x], 2)),
        new("CumSum", (t, _, ids) => t.Write("CumSum", [ids, t.Scalar(1, ElementType.Int64)], 1)),
        new("Trilu", (t, x, _) => t.Write("Trilu", [x], 1)),
        new("EyeLike", (t, _, ids) => t.Write("EyeLike", [ids], 1, ("dtype", 1L))),
        new("TopK", (t, x, _) => t.Write("TopK", [x, t.Longs(2)], 2)),
        new("OneHot", (t, _, ids) => t.Write("OneHot", [ids, t.Longs(40), t.Constant(OnnxTensor.Vector(0f, 1f))], 1, ("axis", 1L))),
        new("Gather", (t, x, ids) => t.Write("Gather", [x.MoveAxes(2, 0, 1), t.Longs(1, 2, 3, 1)], 1)),
        new("Gather, rows of a table", (t, _, ids) => t.Write("Gather", [t.Constant(OnnxTensor.Of<float>([40, 6], new float[240])), ids], 1)),
        new("GatherElements", (t, x, _) => t.Write("GatherElements", [x, x.Cast(ElementType.Int64)], 1, ("axis", 1L))),
        new("GatherND", (t, x, _) => t.Write("GatherND", [x, t.Constant(OnnxTensor.Of<long>([2, 2], [0L, 1, 2, 3]))], 1)),
        new("ScatterElements", (t, x, _) => t.Write("ScatterElements", [x, x.Cast(ElementType.Int64), x], 1, ("axis", 1L), ("reduction", "add"))),
        new("ScatterND", (t, x, _) => t.Write("ScatterND", [x, t.Constant(OnnxTensor.Of<long>([1, 2], [0L, 1])), t.Constant(OnnxTensor.Of<float>([1, 8], new float[8]))], 1)),
        new("Tile", (t, x, _) => t.Write("Tile", [x, t.Longs(1, 2, 3)], 1)),
        new("Pad", (t, x, _) => t.Write("Pad", [x, t.Longs(0, 1, 0, 0, 2, 3)], 1)),
        new("Range", (t, x, _) => t.Write("Range", [t.Scalar(0, ElementType.Int64), x.Apply("Shape").Row(1), t.Scalar(1, ElementType.Int64)], 1)),
        new("ConstantOfShape", (t, x, _) => t.Write("ConstantOfShape", [x.Apply("Shape")], 1)),
        new("Expand by a chain of exporters", (t, x, _) =>
        {
            var shape = Expr.Concat(0, x.Apply("Shape").Take([0, 1]), t.Longs(-1));
            var ones = shape.Apply("Shape").Apply("ConstantOfShape", ("value", OnnxTensor.Vector(1L)));
            return t.Write("Expand", [x, t.Op("Where", [shape.Apply("Equal", ones * -1), ones, shape])], 1);
        }),
        new("Reshape, copied and remaining", (t, x, _) => t.Write("Reshape", [x, t.Longs(0, -1, 4, 2)], 1)),
        new("Reshape, merged", (t, x, _) => t.Write("Reshape", [x, t.Longs(-1, 8)], 1)),
        new("Reshape, split from shape", (t, x, _) => t.Write("Reshape", [x, Expr.Concat(0, x.Apply("Shape").Take([1]), t.Longs(-1, 2))], 1)),
        new("Slice, last", (t, x, _) => t.Write("Slice", [x, t.Longs(-1), t.Longs(long.MaxValue), t.Longs(1)], 1)),
        new("Slice, all but the first", (t, x, _) => t.Write("Slice", [x, t.Longs(1), t.Longs(int.MaxValue), t.Longs(1)], 1)),
        new("Slice, all but the last", (t, x, _) => t.Write("Slice", [x, t.Longs(0), t.Longs(-1), t.Longs(1)], 1)),
        new("Slice, every second", (t, x, _) => t.Write("Slice", [x, t.Longs(1), t.Longs(8), t.Longs(2), t.Longs(2)], 1)),
        new("Slice, backwards", (t, x, _) => t.Write("Slice", [x, t.Longs(-1), t.Longs(long.MinValue), t.Longs(2), t.Longs(-1)], 1)),
        new("Slice, to a length", (t, x, _) => t.Write("Slice", [t.Constant(OnnxTensor.Of<long>([1, 64], new long[64])), t.Longs(0), x.Apply("Shape").Take([1]), t.Longs(1)], 1)),
        new("MatMul", (t, x, _) => t.Write("MatMul", [x, x.MoveAxes(0, 2, 1)], 1)),
        new("MatMul by a vector", (t, x, _) => t.Write("MatMul", [x, t.Constant(OnnxTensor.Vector<float>(new float[8]))], 1)),
        new("FusedMatMul", (t, x, _) => t.Write(OrtOps.FusedMatMul, [x, x], 1, ("transB", 1L))),
        new("Gemm", (t, x, _) => t.Write("Gemm", [x.Rows(), x.Rows()], 1, ("transA", 1L))),
        new("Einsum", (t, x, _) => t.Write("Einsum", [x, x], 1, ("equation", "bsh, btg -> bstgh"))),
        new("Einsum, implicit and with ellipsis", (t, x, _) => t.Write("Einsum", [x, t.Constant(OnnxTensor.Of<float>([8, 5], new float[40]))], 1, ("equation", "...i,ij"))),
        new("Conv", (t, x, _) => t.Write("Conv", [x.MoveAxes(0, 2, 1), t.Constant(OnnxTensor.Of<float>([6, 8, 3], new float[144]))], 1, ("pads", new long[] { 2, 1 }))),
        new("Conv, dilated and grouped", (t, x, _) => t.Write("Conv", [x.MoveAxes(0, 2, 1), t.Constant(OnnxTensor.Of<float>([4, 2, 3], new float[24]))], 1, ("pads", new long[] { 2, 2 }), ("dilations", new long[] { 2 }), ("group", 4L))),
        new("ConvTranspose", (t, x, _) => t.Write("ConvTranspose", [x.MoveAxes(0, 2, 1), t.Constant(OnnxTensor.Of<float>([8, 3, 3], new float[72]))], 1, ("strides", new long[] { 2 }), ("output_padding", new long[] { 1 }))),
        new("LayerNormalization", (t, x, _) => t.Write("LayerNormalization", [x, t.Constant(OnnxTensor.Vector<float>(new float[8]))], 3)),
        new("BatchNormalization", (t, x, _) => t.Write("BatchNormalization", [x.MoveAxes(0, 2, 1), .. Enumerable.Repeat<Expr?>(t.Constant(OnnxTensor.Vector<float>(new float[8])), 4)], 1)),
        new("DynamicQuantizeLinear", (t, x, _) => t.Write("DynamicQuantizeLinear", [x], 3)),
        new("MatMulInteger", (t, x, _) => t.Write("MatMulInteger", [t[t.Write("DynamicQuantizeLinear", [x], 3).Output], t.Constant(OnnxTensor.Of<sbyte>([8, 5], new sbyte[40]))], 1)),
        new("QuantizeLinear", (t, x, _) => t.Write("QuantizeLinear", [x, t.Scalar(1, ElementType.Float), t.Constant(OnnxTensor.Scalar((sbyte)0))], 1)),
        new("DequantizeLinear", (t, x, _) => t.Write("DequantizeLinear", [x.Cast(ElementType.UInt8), t.Scalar(1, ElementType.Float)], 1)),
        new("MultiHeadAttention", (t, x, _) => t.Write(OrtOps.MultiHeadAttention, [x, x, x], 1, ("num_heads", 2L))),
        new("Attention (opset 23), flat", (t, x, _) => t.Write("Attention", [x, x, x], 1, ("q_num_heads", 4L), ("kv_num_heads", 4L)), Opset: 23),
        new("RMSNormalization (opset 23)", (t, x, _) => t.Write("RMSNormalization", [x, t.Constant(OnnxTensor.Vector<float>(new float[8]))], 1), Opset: 23),
        new("SkipLayerNormalization", (t, x, _) => t.Write(OrtOps.SkipLayerNormalization, [x, x, t.Constant(OnnxTensor.Vector<float>(new float[8]))], 4)),
        new("BiasGelu", (t, x, _) => t.Write(OrtOps.BiasGelu, [x, t.Constant(OnnxTensor.Vector<float>(new float[8]))], 1)),
        new("Sum over what broadcasting repeated", (t, x, _) => (x.Row(0) + x).SumTo(x.Row(0)).Value.Producer!),
    ];

    public static IEnumerable<TestCaseData> Named => Cases.Select(row => new TestCaseData(row).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Named))]
    public void Claims_what_the_runtime_computes(OpCase row)
    {
        var model = new OnnxModel(new Graph("test"));
        (model.OpsetVersions[string.Empty], model.OpsetVersions[OrtOps.Domain]) = (row.Opset, 1);
        var tape = new Tape(model.Graph);
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [Dim.Symbol("batch"), Dim.Symbol("sequence"), 8])];
        var ids = tape[model.Graph.AddInput("ids", ElementType.Int64, [Dim.Symbol("batch"), Dim.Symbol("sequence")])];
        var node = row.Write(tape, x, ids);
        var claims = model.Graph.Nodes.SelectMany(made => made.Outputs).OfType<Value>().Select(value => (value.Name, value.Type, value.Shape, value.Content)).ToArray();
        var symbols = new SymbolTable(past: 0, headSize: 0);

        var found = new ExposedGraph(model, symbols).Run();

        foreach (var (name, type, shape, content) in claims)
        {
            var actual = found[name];
            Assert.That(type, Is.EqualTo(actual.Type), name);
            Assert.That(shape, Is.Not.Null, name);
            Assert.That(symbols.Agrees(shape!, actual.Dims), $"{name}: {shape} is [{string.Join(", ", actual.Dims)}]");
            Assert.That(node.Op is "NonZero" or "ReduceSum" || shape!.All(symbols.IsGiven), $"{name}: {shape}");
            if (content is not null && actual.Content is not null) Assert.That(symbols.Agrees(content, actual.Content), $"{name}: [{string.Join(", ", content)}]");
        }
    }

    [Test]
    public void Unknown_operators_leave_the_declaration()
    {
        var graph = new Graph("test");
        var x = graph.AddInput("x", ElementType.Float, [2, 3]);
        var y = graph.AddValue("y");

        ShapeInference.Infer(graph.Add(new Node("Mystery", "some.domain", [x], [y])));

        Assert.That((y.Type, y.Shape), Is.EqualTo((ElementType.Undefined, (Shape?)null)));
    }

    [Test]
    public void Equation_with_more_letters_than_axes_beside_its_ellipsis_is_refused()
    {
        var tape = new Tape(new Graph("test"));

        Assert.That(
            () => tape.Op("Einsum", [tape.Constant(OnnxTensor.Of<float>([3], new float[3]))], ("equation", "...ij->...i")),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT121"));
    }

    [Test]
    public void Shape_with_a_negative_size_is_refused()
    {
        var tape = new Tape(new Graph("test"));
        var x = tape.Constant(OnnxTensor.Of<float>([3], new float[3]));

        Assert.That(
            () => tape.Op("Pad", [x, tape.Longs(-2, -2)]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT121"));
    }

    [TestCase("MatMul", new long[] { 2, 3 }, new long[] { 4, 5 })]
    [TestCase("Add", new long[] { 2, 3 }, new long[] { 2, 4 })]
    [TestCase("Concat", new long[] { 2, 3 }, new long[] { 3, 3 }, 1L)]
    [TestCase("Gather", new long[] { 2, 3 }, new long[] { 3 }, 2L)]
    public void Inputs_that_do_not_fit_are_refused_with_the_name_of_the_node(string op, long[] a, long[] b, long axis = 0)
    {
        var tape = new Tape(new Graph("test"));
        using var scope = tape.Scope("layer.7");
        var (x, y) = (tape.Constant(OnnxTensor.Of<float>(a, new float[a.Aggregate((p, q) => p * q)])), tape.Constant(OnnxTensor.Of<float>(b, new float[b.Aggregate((p, q) => p * q)])));

        Assert.That(() => tape.Op(op, [x, y], ("axis", axis)), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT121").And.Message.Contains($"layer.7/{op}"));
    }

    public sealed record OpCase
    {
        internal OpCase(string name, Func<Tape, Expr, Expr, Node> write, long Opset = 21) => (Name, Write, this.Opset) = (name, write, Opset);

        public string Name { get; }

        public long Opset { get; }

        internal Func<Tape, Expr, Expr, Node> Write { get; }

        internal static IEnumerable<OpCase> Each(Func<Tape, Expr, Expr, string, Node> write, params string[] ops) =>
            ops.Select(op => new OpCase(op, (t, x, ids) => write(t, x, ids, op)));
    }
}
