using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Attention.Inputs;

/// <summary>Batches with padding on the left or holes, before attention that knows lengths only.</summary>
internal sealed class LengthMasksTests
{
    private static readonly (string Name, int Input, bool IsSummed)[] Readers =
        [("GroupQueryAttention", 5, true), ("QAttention", 5, true), ("Attention", 3, true), ("MultiHeadAttention", 4, true), ("MultiHeadAttention", 4, false)];

    private static IEnumerable<TestCaseData> Cases => Readers.Select(reader => new TestCaseData(reader.Name, reader.Input, reader.IsSummed));

    [TestCaseSource(nameof(Cases))]
    public void A_row_that_no_length_says_is_refused_by_the_name_of_the_node(string op, int input, bool isSummed)
    {
        var masks = LengthMasks.Of(Reading(op, input, isSummed));

        Assert.That(() => masks.Check(Batch(1, 1, 1, 0, 1, 1, 0, 0)), Throws.Nothing);
        Assert.That(() => masks.Check(Batch(1, 1, 1, 1, 0, 0, 0, 0)), Throws.Nothing);
        Assert.That(() => masks.Check(new Dictionary<string, OnnxTensor>()), Throws.Nothing);
        foreach (var row in new[] { Batch(1, 1, 1, 1, 0, 0, 1, 1), Batch(1, 1, 1, 1, 1, 0, 1, 0) })
        {
            if (!isSummed) Assert.That(() => masks.Check(row), Throws.Nothing);
            else Assert.That(() => masks.Check(row), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT207").And.Message.Contains("'fused'").And.Message.Contains("row 1"));
        }
    }

    // attention_mask [2, 4] → its sum − 1, as ONNX Runtime's builder writes it
    private static OnnxModel Reading(string op, int input, bool isSummed)
    {
        var (model, tape) = Ort.New();
        var mask = tape[model.Graph.AddInput("attention_mask", ElementType.Int64, [Dim.Symbol("batch"), Dim.Symbol("sequence")])];
        var lengths = isSummed ? (tape.Op("ReduceSum", [mask, tape.Longs(1)], ("keepdims", 0)) - tape.Scalar(1, ElementType.Int64)).Cast(ElementType.Int32) : mask.Cast(ElementType.Int32);
        var inputs = new Value?[input + 1];
        inputs[input] = lengths.Value;
        model.Graph.Add(new Node(op, "com.microsoft", inputs, [model.Graph.AddValue("out")]) { Name = "fused" });
        return model;
    }

    private static Dictionary<string, OnnxTensor> Batch(params long[] mask) => new() { ["attention_mask"] = OnnxTensor.Of<long>([2, 4], mask) };
}
