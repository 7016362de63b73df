using System.Buffers.Binary;
using System.Text;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Storage;

/// <summary>Files whose header does not say, byte for byte, what lies behind it.</summary>
internal sealed class SafetensorsTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void What_was_written_is_read_again()
    {
        Safetensors.Save(_folder["a"], new Dictionary<string, OnnxTensor> { ["empty"] = OnnxTensor.Of<float>([0, 3], []), ["x"] = OnnxTensor.Of<float>([2], [1, 2]), ["y"] = OnnxTensor.Scalar(3L) });

        var tensors = Safetensors.Load(_folder["a"]).Tensors;

        Assert.That((tensors["x"].ToFloats()[1], tensors["y"].ToLongs()[0], tensors["empty"].Count), Is.EqualTo((2f, 3L, 0L)));
    }

    [TestCase("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [9223372036854775295, 9223372036854775303]}}""", "is not within the file")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}""", "is not within the file")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}}""", "negative dimension")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 8]}}""", "cannot be read")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", "4 bytes at its end")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}""", "4 bytes before tensor 'a'")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}""", "tensor 'b' overlaps")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}""", "cannot be read")]
    [TestCase("""{"a": {"dtype": null, "shape": [2], "data_offsets": [0, 8]}}""", "unknown type")]
    [TestCase("""{"a": {"dtype": "F32", "shape": null, "data_offsets": [0, 8]}}""", "cannot be read")]
    [TestCase("""{"a": null}""", "cannot be read")]
    [TestCase("""{"__metadata__": {"a": null}}""", "cannot be read")]
    [TestCase("""[]""", "cannot be read")]
    [TestCase("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0]}}""", "is not within the file")]
    public void Header_that_says_something_else_is_refused(string header, string says)
    {
        File.WriteAllBytes(_folder["a"], Bytes(header, new byte[8]));

        var failure = Assert.Throws<LortaException>(() => Safetensors.Load(_folder["a"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT105"));
        Assert.That(failure.Message, Does.Contain(says));
    }

    [Test]
    public void Header_that_is_nested_without_end_is_refused()
    {
        File.WriteAllBytes(_folder["a"], Bytes($"{{\"a\": {new string('[', 5000)}{new string(']', 5000)}}}", []));

        Assert.That(() => Safetensors.Load(_folder["a"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT105"));
    }

    private static byte[] Bytes(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. data];
    }
}
