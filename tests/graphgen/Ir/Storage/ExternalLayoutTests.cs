using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Storage;

/// <summary>What goes to a second file.</summary>
internal sealed class ExternalLayoutTests
{
    [Test]
    public void Bytes_of_a_file_that_are_two_tensors_are_written_once()
    {
        using var folder = new TestFolder();
        File.WriteAllBytes(folder["codes"], [.. Enumerable.Range(0, 8192).Select(i => (byte)i)]);
        var file = MappedFile.Open(folder["codes"]);
        var graph = new Graph("codes");
        var bytes = graph.AddConstant("bytes", OnnxTensor.FromFile(ElementType.UInt8, [64, 64], file, 0));
        var codes = graph.AddConstant("codes", bytes.Constant!.As(ElementType.UInt4, [64, 128]));
        var others = graph.AddConstant("others", OnnxTensor.FromFile(ElementType.UInt8, [64, 64], file, 4096));

        var layout = new ExternalLayout("data", graph.Initializers);

        using var written = new MemoryStream();
        layout.Write(written);
        Assert.That(written.ToArray(), Is.EqualTo(File.ReadAllBytes(folder["codes"])));
        Assert.That(layout.PlaceOf(codes), Is.EqualTo(layout.PlaceOf(bytes)));
        Assert.That(layout.PlaceOf(others)!.Value.Offset, Is.EqualTo(4096));
    }
}
