using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts.OrtTraining;

/// <summary>Operators that ONNX Runtime Training 1.19.2 lacks, written in older ones: the numbers are the same.</summary>
internal sealed class OlderOperatorsTests
{
    private static readonly SeededRandom Random = new(0, "codes");

    [TestCase(ElementType.UInt8, 4, false)]
    [TestCase(ElementType.UInt8, 4, true)]
    [TestCase(ElementType.UInt8, 8, false)]
    [TestCase(ElementType.UInt8, 8, true)]
    [TestCase(ElementType.UInt4, 4, true)]
    [TestCase(ElementType.Int4, 4, false)]
    public void Rows_of_a_quantised_table_are_the_same(ElementType type, int bits, bool hasZeros)
    {
        const int Rows = 10, Columns = 64, Block = 16;
        var (model, tape) = Ort.New();
        var index = tape[model.Graph.AddInput("index", ElementType.Int64, [2, 3])];
        var codes = tape.Constant(Codes(type, Rows, type == ElementType.UInt8 ? Columns * bits / 8 : Columns), "codes");
        var scales = tape.Constant(RandomTensor.Between(0.01, 0.1, "scales", Rows, Columns / Block), "scales");
        Expr? zeros = hasZeros ? tape.Constant(Codes(type, Rows, type == ElementType.UInt8 ? Columns / Block * bits / 8 : Columns / Block), "zeros") : null;
        (string, OnnxAttribute?)[] attributes = [("bits", bits), ("block_size", Block), ("gather_axis", 0), ("quantize_axis", 1)];
        var rows = tape.Op("com.microsoft::GatherBlockQuantized", [codes, index, scales, zeros], attributes);

        Assert.That(Older(model, rows, new() { ["index"] = OnnxTensor.Of<long>([2, 3], [0, 9, 3, 3, 1, 8]) }), Is.Zero.Within(1e-6));
    }

    [TestCase(64, false)]
    [TestCase(64, true)]
    [TestCase(50, false)]
    public void Product_with_a_weight_of_8_bits_is_the_same(int columns, bool hasZeros)
    {
        const int Rows = 24, Block = 32;
        var blocks = (columns + Block - 1) / Block;
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [2, 3, columns])];
        var codes = tape.Constant(OnnxTensor.FromBytes(ElementType.UInt8, [Rows, blocks, Block], Bytes(Rows * blocks * Block)), "codes");
        var scales = tape.Constant(RandomTensor.Between(0.01, 0.1, "scales", Rows * blocks), "scales");
        Expr? zeros = hasZeros ? tape.Constant(Codes(ElementType.UInt8, 1, Rows * blocks).WithDims([Rows * blocks]), "zeros") : null;
        (string, OnnxAttribute?)[] attributes = [("bits", 8), ("block_size", Block), ("K", columns), ("N", Rows), ("accuracy_level", 1)];
        var product = tape.Op("com.microsoft::MatMulNBits", [x, codes, scales, zeros], attributes);

        Assert.That(Older(model, product, new() { ["x"] = RandomTensor.Normal("x", 2, 3, columns) }), Is.Zero.Within(1e-5));
    }

    [Test]
    public void Table_that_is_looked_up_by_columns_is_refused_by_name()
    {
        var (model, tape) = Ort.New();
        var index = tape[model.Graph.AddInput("index", ElementType.Int64, [2])];
        var codes = tape.Constant(Codes(ElementType.UInt4, 4, 32), "codes");
        (string, OnnxAttribute?)[] attributes = [("block_size", 16), ("gather_axis", 1), ("quantize_axis", 0)];
        model.Graph.AddOutput(tape.Op("com.microsoft::GatherBlockQuantized", [codes, index, tape.Constant(RandomTensor.Normal("s", 1, 32))], attributes).Value);

        Assert.That(() => OlderOperators.Replace(tape), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT574").And.Message.Contains("GatherBlockQuantized"));
    }

    // The largest difference, relative to the largest number, once the young operator is gone.
    private static double Older(OnnxModel model, Expr result, Dictionary<string, OnnxTensor> inputs)
    {
        model.Graph.AddOutput(result.Value);
        var young = result.Value.Producer!.Op;
        var expected = Ort.Run(model, inputs).Values.Single().ToFloats();

        OlderOperators.Replace(new Tape(model.Graph));
        model.Graph.RemoveUnused();
        model.Graph.Sort();

        Assert.That(model.Graph.Nodes.Select(node => node.Op), Does.Not.Contain(young));
        var found = Ort.Run(model, inputs).Values.Single().ToFloats();
        return expected.Zip(found, (a, b) => Math.Abs(a - b)).Max() / expected.Max(Math.Abs);
    }

    private static OnnxTensor Codes(ElementType type, int rows, int columns) =>
        OnnxTensor.FromBytes(type, [rows, columns], Bytes(type == ElementType.UInt8 ? rows * columns : rows * columns / 2));

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(_ => (byte)(Random.NextUniform() * 256))];
}
