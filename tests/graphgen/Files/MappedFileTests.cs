using System.Globalization;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class MappedFileTests
{
    [Test, Platform(Exclude = "Win", Reason = "There a mapped file cannot be shortened.")]
    public void File_that_was_shortened_in_place_is_named_instead_of_touched()
    {
        using var folder = new TestFolder();
        File.WriteAllBytes(folder["a.bin"], new byte[100_000]);
        var mapped = MappedFile.Open(folder["a.bin"]);
        using (var writer = new FileStream(folder["a.bin"], FileMode.Open)) writer.SetLength(10);

        var failure = Assert.Throws<LortaException>(() => mapped.Span(90_000, 8).ToArray())!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT140", $"{folder["a.bin"]}: was shortened from 100000 to 10 bytes while it was in use.")));
    }

    [Test, Platform(Exclude = "Win")]
    public void File_that_another_one_was_renamed_over_stays_as_it_was()
    {
        using var folder = new TestFolder();
        File.WriteAllBytes(folder["a.bin"], [1, 2, 3]);
        File.WriteAllBytes(folder["b.bin"], [4]);
        var mapped = MappedFile.Open(folder["a.bin"]);

        File.Move(folder["b.bin"], folder["a.bin"], overwrite: true);

        Assert.That(mapped.Span(0, 3).ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test, Platform("Linux")]
    public void Memory_that_is_let_go_of_is_no_longer_the_process_s_and_is_read_again()
    {
        const int Length = 64 << 20;
        using var folder = new TestFolder();
        File.WriteAllBytes(folder["a.bin"], Enumerable.Repeat((byte)7, Length).ToArray());
        var mapped = MappedFile.Open(folder["a.bin"]);

        var before = mapped.Span(0, Length).Count((byte)7);
        var resident = MappedBytes();
        mapped.LetGo(100, Length - 100);
        var left = MappedBytes();

        Assert.That(resident - left, Is.GreaterThan(Length / 2));
        Assert.That((before, mapped.Span(0, Length).Count((byte)7)), Is.EqualTo((Length, Length)));

        static long MappedBytes() => File.ReadLines("/proc/self/status").Where(line => line.StartsWith("RssFile", StringComparison.Ordinal))
            .Select(line => 1024 * long.Parse(line.Split(' ')[^2], CultureInfo.InvariantCulture)).Single();
    }
}
