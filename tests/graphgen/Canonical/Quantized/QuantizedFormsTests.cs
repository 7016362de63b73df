using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Quantized;

/// <summary>Quantised products: the canonical graph has the dequantised weight exactly and leaves activations alone. x [3, 8], W [8, 4].</summary>
public sealed class QuantizedFormsTests
{
    private static readonly sbyte[] Codes = [.. Enumerable.Range(0, 32).Select(i => (sbyte)((i * 37 % 200) - 100))];
    private static readonly float[] Scales = [0.01f, 0.02f, 0.005f, 0.03f];

    [TestCase(false)]
    [TestCase(true)]
    public void Rounding_of_activations_is_left_out_and_found(bool turned)
    {
        var (model, tape, x) = New();
        var (scale, zero) = (tape.Constant(OnnxTensor.Scalar(0.02f)), tape.Constant(OnnxTensor.Scalar((byte)128)));
        var rounded = tape.Op("DequantizeLinear", [tape.Op("QuantizeLinear", [x, scale, zero]), scale, zero]);
        var weight = turned
            ? tape.Op("DequantizeLinear", [tape.Constant(OnnxTensor.Of<sbyte>([4, 8], [.. Enumerable.Range(0, 32).Select(i => Codes[(i % 8 * 4) + (i / 8)])])), tape.Constant(OnnxTensor.Vector<float>(Scales))], ("axis", 0)).T
            : tape.Op("DequantizeLinear", [tape.Constant(OnnxTensor.Of<sbyte>([8, 4], Codes)), tape.Constant(OnnxTensor.Vector<float>(Scales))], ("axis", 1));
        model.Graph.AddOutput(tape.Op("MatMul", [rounded, weight]).Value);

        AssertExact(model, Scales);
    }

    [TestCase((byte)0, "Relu")]
    [TestCase((byte)3, null)]
    public void Rounding_that_cuts_off_below_zero_is_a_Relu(byte zero, string? kept)
    {
        var (model, tape, x) = New();
        var (scale, zeroPoint) = (tape.Constant(OnnxTensor.Scalar(0.02f)), tape.Constant(OnnxTensor.Scalar(zero)));
        model.Graph.AddOutput((tape.Op("DequantizeLinear", [tape.Op("QuantizeLinear", [x * 2, scale, zeroPoint]), scale, zeroPoint]) + 1).Value);

        var canonical = CanonicalModel.Of(model);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Is.EqualTo(new[] { "Mul", kept, "Add" }.OfType<string>()));
        Assert.That(canonical.Findings, Has.Count.EqualTo(kept is null ? 1 : 2));
    }

    [Test]
    public void Integers_of_which_a_part_was_not_rounded_leave_the_graph_as_it_is()
    {
        var (model, tape, x) = New();
        var (scale, zero) = (tape.Constant(OnnxTensor.Scalar(0.02f)), tape.Constant(OnnxTensor.Scalar((byte)128)));
        var given = tape[model.Graph.AddInput("codes", ElementType.UInt8, [3, 8])];
        var joined = Expr.Concat(0, tape.Op("QuantizeLinear", [x, scale, zero]), given);
        model.Graph.AddOutput(tape.Op("DequantizeLinear", [joined, scale, zero]).Value);

        var canonical = CanonicalModel.Of(model);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Is.EqualTo(new[] { "QuantizeLinear", "Concat", "DequantizeLinear" }));
        Assert.That(canonical.Findings, Is.Empty);
    }

    [TestCase(1)]
    [TestCase(4)]
    public void Products_of_integers_become_products_of_numbers(int scales)
    {
        var (model, tape, x) = New();
        var rounded = tape.Write("DynamicQuantizeLinear", [x], 3);
        var zeros = tape.Constant(scales == 1 ? OnnxTensor.Scalar((sbyte)0) : OnnxTensor.Vector<sbyte>(new sbyte[4]));
        var product = tape.Op("MatMulInteger", [tape[rounded.Output], tape.Constant(OnnxTensor.Of<sbyte>([8, 4], Codes)), tape[rounded.Outputs[2]!], zeros]);
        var factor = tape[rounded.Outputs[1]!] * tape.Constant(scales == 1 ? OnnxTensor.Scalar(Scales[0]) : OnnxTensor.Vector<float>(Scales));
        model.Graph.AddOutput((product.Cast(ElementType.Float) * factor).Value);

        AssertExact(model, scales == 1 ? [Scales[0], Scales[0], Scales[0], Scales[0]] : Scales);
    }

    [TestCase("a number", new long[] { 4 })]
    [TestCase("a vector of one", new long[] { 4 })]
    [TestCase("a number", new long[] { 1, 4 })]
    public void One_zero_point_serves_the_scales_of_all_columns(string zeroForm, long[] scaleDims)
    {
        var (model, tape, x) = New();
        var rounded = tape.Write("DynamicQuantizeLinear", [x], 3);
        sbyte zero = 5;
        var zeros = tape.Constant(zeroForm == "a number" ? OnnxTensor.Scalar(zero) : OnnxTensor.Vector<sbyte>([zero]));
        var codes = tape.Constant(OnnxTensor.Of<sbyte>([8, 4], [.. Codes.Select(code => (sbyte)(code + zero))]));
        var product = tape.Op("MatMulInteger", [tape[rounded.Output], codes, tape[rounded.Outputs[2]!], zeros]);
        var factor = tape[rounded.Outputs[1]!] * tape.Constant(OnnxTensor.Of<float>(scaleDims, Scales));
        model.Graph.AddOutput((product.Cast(ElementType.Float) * factor).Value);

        AssertExact(model, Scales);
    }

    [TestCase(OrtOps.MatMulIntegerToFloat)]
    [TestCase(OrtOps.DynamicQuantizeMatMul)]
    public void One_zero_point_serves_the_scales_of_all_columns_in_fused_products(string op)
    {
        var (model, tape, x) = New();
        var (codes, scales) = (tape.Constant(OnnxTensor.Of<sbyte>([8, 4], Codes)), tape.Constant(OnnxTensor.Vector<float>(Scales)));
        var zero = tape.Constant(OnnxTensor.Scalar((sbyte)0));
        var rounded = tape.Write("DynamicQuantizeLinear", [x], 3);
        Expr?[] inputs = op == OrtOps.DynamicQuantizeMatMul
            ? [x, codes, scales, zero]
            : [tape[rounded.Output], codes, tape[rounded.Outputs[1]!], scales, tape[rounded.Outputs[2]!], zero];
        model.Graph.AddOutput(tape.Write(op, inputs, 1).Output);
        model.Graph.RemoveUnused();

        AssertExact(model, Scales);
    }

    [Test]
    public void Fused_products_of_integers_too()
    {
        var (model, tape, x) = New();
        model.Graph.AddOutput(tape.Write(OrtOps.DynamicQuantizeMatMul, [x, tape.Constant(OnnxTensor.Of<sbyte>([8, 4], Codes)), tape.Constant(OnnxTensor.Vector<float>(Scales)), tape.Constant(OnnxTensor.Vector<sbyte>(new sbyte[4]))], 1).Output);

        AssertExact(model, Scales);
    }

    [Test]
    public void Products_of_integers_that_rescale_themselves_too()
    {
        var (model, tape, x) = New();
        var rounded = tape.Write("DynamicQuantizeLinear", [x], 3);
        Expr?[] inputs = [tape[rounded.Output], tape.Constant(OnnxTensor.Of<sbyte>([8, 4], Codes)), tape[rounded.Outputs[1]!], tape.Constant(OnnxTensor.Vector<float>(Scales)), tape[rounded.Outputs[2]!], tape.Constant(OnnxTensor.Vector<sbyte>(new sbyte[4]))];
        model.Graph.AddOutput(tape.Write(OrtOps.MatMulIntegerToFloat, inputs, 1).Output);

        AssertExact(model, Scales);
    }

    private static (OnnxModel Model, Tape Tape, Expr X) New()
    {
        var (model, _) = Ort.New();
        return (model, new Tape(model.Graph, onnxOnly: true), new Tape(model.Graph)[model.Graph.AddInput("x", ElementType.Float, [3, 8])]);
    }

    // y = x·W in float32, and the deployed file is near it.
    private static void AssertExact(OnnxModel model, float[] scales)
    {
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Normal("x", 3, 8) };
        var x = inputs["x"].ToFloats();
        var expected = Enumerable.Range(0, 12).Select(i => Enumerable.Range(0, 8).Sum(k => x[(i / 4 * 8) + k] * (Codes[(k * 4) + (i % 4)] * scales[i % 4]))).ToArray();

        var canonical = CanonicalModel.Of(model);

        Assert.That(Ort.Run(canonical.Model, inputs).Single().Value.ToFloats(), Is.EqualTo(expected).Within(1e-5));
        Assert.That(Ort.Run(model, inputs).Single().Value.ToFloats(), Is.EqualTo(expected).Within(0.1));
        Assert.That(canonical.Findings.Single().Reason, Does.Contain("8 bits"));
    }
}
