using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Ir;

internal sealed class NodeTests
{
    private static readonly TestCaseData[] Spellings =
    [
        new("value", (OnnxAttribute)OnnxTensor.Vector<long>(2, 3), new[] { 2f, 3 }),
        new("value_int", (OnnxAttribute)2L, new[] { 2f }),
        new("value_ints", (OnnxAttribute)new[] { 2L, 3 }, new[] { 2f, 3 }),
        new("value_float", (OnnxAttribute)2.5f, new[] { 2.5f }),
        new("value_floats", new OnnxAttribute(AttrKind.Floats, new[] { 2.5f, 3 }), new[] { 2.5f, 3 }),
    ];

    [TestCaseSource(nameof(Spellings))]
    public void Numbers_of_a_constant_are_found_however_they_are_spelled(string attribute, object value, float[] expected)
    {
        var constant = new Tape(new Graph("test")).Op("Constant", [], (attribute, (OnnxAttribute)value)).Value;

        Assert.That(constant.StoredTensor()!.ToFloats(), Is.EqualTo(expected));
    }
}
