using System.Security.Cryptography;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Passes what is written on to another stream and hashes it on the way.</summary>
internal sealed class HashingStream(Stream target) : Stream
{
    private const int Large = 1 << 20;   // bytes that are hashed by another thread

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>SHA-256 of what was written so far.</summary>
    public byte[] Hash => _hash.GetCurrentHash();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => target.Length;

    public override long Position
    {
        get => target.Position;
        set => throw new NotSupportedException();
    }

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length < Large)
        {
            _hash.AppendData(buffer);
            target.Write(buffer);
            return;
        }
        fixed (byte* start = buffer)
        {
            var (address, length) = ((IntPtr)start, buffer.Length);
            var hashing = Task.Run(() => _hash.AppendData(new ReadOnlySpan<byte>((void*)address, length)));
            try
            {
                target.Write(buffer);
            }
            finally
            {
                hashing.GetAwaiter().GetResult();   // the bytes stay until both have read them
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => target.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The other stream stays open.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }
}
