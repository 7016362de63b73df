using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Attention.Inputs;

internal sealed class PositionTableTests
{
    private const long Rows = 40;

    // 258 rows, of which the first two are no token's; 64; cosines and sines of 512.
    [TestCase("roberta-mini/seqcls.ts-eager", ExpectedResult = 256)]
    [TestCase("roberta-mini/seqcls.dynamo18", ExpectedResult = 256)]
    [TestCase("roberta-mini/seqcls.fp16", ExpectedResult = 256)]
    [TestCase("roberta-mini/seqcls.int8-dynamic", ExpectedResult = 256)]
    [TestCase("roberta-mini/seqcls.ort-fused", ExpectedResult = 256)]
    [TestCase("roberta-mini/extra/bert-tiny.ts-eager", ExpectedResult = 64)]
    [TestCase("roberta-mini/extra/bert-tiny.ort-fused", ExpectedResult = 64)]
    [TestCase("llama-mini/genai", ExpectedResult = 512)]
    [TestCase("llama-mini/ts-sdpa", ExpectedResult = null)]
    [TestCase("esm-mini/mlm.ts-eager", ExpectedResult = null)]
    public long? A_table_limits_the_tokens_and_computed_positions_do_not(string export) =>
        PositionTable.Tokens(OnnxModel.Load(Exports.Path(export)));

    [Test]
    public void Positions_that_begin_above_zero_leave_rows_unused()
    {
        var (model, tape, mask) = New();

        Lookup(tape, (tape.Op("CumSum", [mask, tape.Constant(OnnxTensor.Scalar(1L))]) * mask) + tape.Constant(OnnxTensor.Scalar(3L)));

        Assert.That(PositionTable.Tokens(model), Is.EqualTo(Rows - 4));
    }

    [Test]
    public void The_first_rows_of_a_table_are_cut_off()
    {
        var (model, tape, mask) = New();

        tape.Op("Slice", [tape.Constant(RandomTensor.Normal("table", 1, Rows, 4)), tape.Longs(0), mask.SizeOf(1).Reshape(1), tape.Longs(1)]);

        Assert.That(PositionTable.Tokens(model), Is.EqualTo(Rows));
    }

    [Test]
    public void Distances_between_tokens_are_no_positions()
    {
        var (model, tape, mask) = New();
        var positions = tape.Op("CumSum", [mask, tape.Constant(OnnxTensor.Scalar(1L))]);

        Lookup(tape, positions.Unsqueeze(1) - positions.Unsqueeze(2));

        Assert.That(PositionTable.Tokens(model), Is.Null);
    }

    private static void Lookup(Tape tape, Expr index) => tape.Op("Gather", [tape.Constant(RandomTensor.Normal("table", Rows, 4)), index]);

    private static (OnnxModel Model, Tape Tape, Expr Mask) New()
    {
        var (model, tape) = Ort.New();
        return (model, tape, tape[model.Graph.AddInput("attention_mask", ElementType.Int64, [Dim.Symbol("batch"), Dim.Symbol("sequence")])]);
    }
}
