using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>An event file for TensorBoard: the run's numbers as scalars. Each process that works on a run writes a file of its
/// own.</summary>
/// <remarks>A record is its length (8 bytes, little endian), the masked CRC-32C of these bytes, the event, and the masked CRC-32C of the
/// event. An event is a protobuf message: 1 wall time (double), 2 step, and one of 3 file version, 5 summary (values of 1 tag, 2 float),
/// 7 session log (1 status: 1 = start).</remarks>
internal sealed class EventLog : ITracker, IDisposable
{
    private const string Prefix = "events.out.tfevents.";
    private const string Version = "brain.Event:2";
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Bytes = 2;
    private const int Fixed32 = 5;
    private const uint MaskDelta = 0xa282ead8;
    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    private EventLog(string path, TimeProvider clock)
    {
        _clock = clock;
        _stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Opens a new file in the folder of a run's events.</summary>
    /// <param name="folder">The folder; it is made where it is missing.</param>
    /// <param name="fromStep">The finished steps of the checkpoint that the run continues from: TensorBoard forgets later ones.</param>
    /// <param name="clock">Time of the events.</param>
    /// <exception cref="LortaException">LRT104: not writable.</exception>
    public static EventLog Open(string folder, long fromStep, TimeProvider clock)
    {
        var milliseconds = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{Prefix}{milliseconds / 1000:D10}.lorta.{milliseconds % 1000:D3}-{fromStep}");
        try
        {
            FileSteps.CreateFolder(folder);
            var log = new EventLog(Path.Combine(folder, name), clock);
            log.Write(Message(3, Encoding.UTF8.GetBytes(Version)));
            if (fromStep > 0) log.Write([.. Number(2, fromStep + 1), .. Message(7, Number(1, 1))]);
            return log;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(Path.Combine(folder, name), e);
        }
    }

    /// <summary>Whether a file of a folder of events is one.</summary>
    public static bool IsFile(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    public void Step(StepEvent record) => Scalars(record.Step,
    [
        ("train/loss", record.Loss), ("train/learning_rate", record.LearningRate), ("train/grad_norm", record.GradNorm),
        ("train/epoch", record.Epoch), ("speed/samples_per_second", record.SamplesPerSecond),
        ("speed/tokens_per_second", record.TokensPerSecond), ("speed/memory_bytes", record.MemoryBytes),
    ]);

    public void Evaluation(EvaluationEvent record) => Scalars(
        record.Step, [("eval/loss", record.Loss), .. record.Metrics.Select(metric => ($"eval/{metric.Key}", (double?)metric.Value))]);

    /// <summary>Texts are for people: <see cref="TextLog"/> has them.</summary>
    public void Note(string text)
    {
    }

    public void Dispose() => _stream.Dispose();

    private void Scalars(long step, IEnumerable<(string Tag, double? Value)> scalars) => Write(
    [
        .. Number(2, step),
        .. Message(5, [.. scalars.Where(scalar => scalar.Value is not null).SelectMany(scalar => Scalar(scalar.Tag, scalar.Value!.Value))]),
    ]);

    private static byte[] Scalar(string tag, double value) =>
        Message(1, [.. Message(1, Encoding.UTF8.GetBytes(tag)), Key(2, Fixed32), .. BitConverter.GetBytes((float)value)]);

    // A field of the wire format: its number and kind, then a varint, or a length and bytes.
    private static byte Key(int field, int kind) => (byte)((field << 3) | kind);

    private static byte[] Number(int field, long value) => [Key(field, Varint), .. VarintOf(value)];

    private static byte[] Message(int field, byte[] content) => [Key(field, Bytes), .. VarintOf(content.Length), .. content];

    private static IEnumerable<byte> VarintOf(long value)
    {
        for (; value > 127; value >>= 7) yield return (byte)(value | 128);
        yield return (byte)value;
    }

    private void Write(byte[] content)
    {
        var time = _clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        byte[] data = [Key(1, Fixed64), .. BitConverter.GetBytes(time), .. content];
        var length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, data.Length);
        _stream.Write([.. length, .. Checksum(length), .. data, .. Checksum(data)]);
        _stream.Flush();
    }

    private static byte[] Checksum(byte[] data)
    {
        var crc = ~data.Aggregate(uint.MaxValue, BitOperations.Crc32C);
        var checksum = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, unchecked(BitOperations.RotateRight(crc, 15) + MaskDelta));
        return checksum;
    }
}
