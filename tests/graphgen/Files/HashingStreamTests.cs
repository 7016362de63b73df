using System.Security.Cryptography;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class HashingStreamTests
{
    [Test]
    public void Hash_and_content_are_those_of_everything_in_its_order()
    {
        using var target = new MemoryStream();
        using var hashed = new HashingStream(target);
        var random = new SeededRandom(0, "bytes");
        var parts = new[] { 10, 3 << 20, 1, 1 << 20, 5 << 20, 0 }.Select(length =>
        {
            var bytes = new byte[length];
            for (var i = 0; i < length; i++) bytes[i] = (byte)random.NextIndex(256);
            return bytes;
        }).ToList();

        foreach (var part in parts) hashed.Write(part);

        var all = parts.SelectMany(part => part).ToArray();
        Assert.That(target.ToArray(), Is.EqualTo(all));
        Assert.That(hashed.Hash, Is.EqualTo(SHA256.HashData(all)));
    }

    [Test]
    public void A_target_that_fails_fails_the_write()
    {
        using var target = new MemoryStream(new byte[10]);   // cannot grow
        using var hashed = new HashingStream(target);

        Assert.That(() => hashed.Write(new byte[2 << 20]), Throws.TypeOf<NotSupportedException>());
    }
}
