using System.Buffers.Binary;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Tests.Tracking;

/// <summary>Event files, read back as TensorBoard reads them: length, checksum, event, checksum.</summary>
internal sealed class EventLogTests
{
    private readonly TestFolder _folder = new();

    [OneTimeTearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public void Numbers_of_steps_and_evaluations_are_scalars()
    {
        using (var log = EventLog.Open(_folder["new"], fromStep: 0, TimeProvider.System))
        {
            log.Step(new() { Step = 3, Steps = 9, Loss = 0.5, LearningRate = 0.25 });
            log.Evaluation(new() { Step = 3, Loss = 0.75, Metrics = new Dictionary<string, double> { ["accuracy"] = 0.125 } });
        }

        var events = Events(_folder["new"]);

        Assert.That(events[0].FileVersion, Is.EqualTo("brain.Event:2"));
        Assert.That(Scalars(events[1]), Is.SupersetOf(new[] { (3L, "train/loss", 0.5f), (3L, "train/learning_rate", 0.25f) }));
        Assert.That(Scalars(events[2]), Is.EqualTo(new[] { (3L, "eval/loss", 0.75f), (3L, "eval/accuracy", 0.125f) }));
    }

    [Test]
    public void A_run_that_is_continued_makes_readers_forget_later_steps()
    {
        using (EventLog.Open(_folder["resumed"], fromStep: 40, TimeProvider.System)) { }

        var start = Events(_folder["resumed"])[1];

        Assert.That((start.Step, start.SessionLog.Status), Is.EqualTo((41L, SessionLog.Types.SessionStatus.Start)));
    }

    // The check value of CRC-32C (RFC 3720, B.4: 32 bytes of zeros give 8A9136AA), masked as the format wants it.
    [Test]
    public void Checksums_are_masked_crc_32c()
    {
        using (EventLog.Open(_folder["sum"], fromStep: 0, TimeProvider.System)) { }
        var bytes = File.ReadAllBytes(Directory.GetFiles(_folder["sum"])[0]);

        Assert.That(Crc(new byte[32]), Is.EqualTo(0x8A9136AAu));
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)), Is.EqualTo(Masked(bytes[..8])));
    }

    private static List<Event> Events(string folder)
    {
        var bytes = File.ReadAllBytes(Directory.GetFiles(folder).Single(file => EventLog.IsFile(Path.GetFileName(file))));
        var events = new List<Event>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
            var content = bytes[(at + 12)..(at + 12 + length)];
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)), Is.EqualTo(Masked(content)));
            events.Add(Event.Parser.ParseFrom(content));
            at += 16 + length;
        }
        return events;
    }

    private static IEnumerable<(long, string, float)> Scalars(Event content) =>
        content.Summary.Value.Select(value => (content.Step, value.Tag, value.SimpleValue));

    private static uint Masked(byte[] data)
    {
        var crc = Crc(data);
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8);
    }

    // Bit by bit, from the polynomial.
    private static uint Crc(byte[] data)
    {
        var crc = uint.MaxValue;
        foreach (var one in data)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F63B78;
        }
        return ~crc;
    }
}
