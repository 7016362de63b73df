using System.Runtime.InteropServices;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>Low-bit codes side by side, from the low bits of a byte up, and each in a byte of its own.</summary>
internal static class PackedCodes
{
    /// <summary>The bits of the code that starts at a bit.</summary>
    public static byte Get(ReadOnlySpan<byte> packed, long bit, int bits) =>
        (byte)((packed[(int)(bit >> 3)] >> (int)(bit & 7)) & ((1 << bits) - 1));

    /// <summary>A byte for each code, [rows, columns].</summary>
    public static byte[] Unpack(ReadOnlySpan<byte> packed, BlockLayout layout)
    {
        var codes = new byte[layout.Rows * layout.Columns];
        for (long row = 0; row < layout.Rows; row++)
            UnpackRow(packed, row * layout.RowBits, codes.AsSpan((int)(row * layout.Columns), (int)layout.Columns), layout.Bits);
        return codes;
    }

    /// <summary>The codes side by side; what lies between the rows stays as it was.</summary>
    public static byte[] Pack(byte[] codes, ReadOnlySpan<byte> before, BlockLayout layout)
    {
        var packed = before.ToArray();
        for (long row = 0; row < layout.Rows; row++)
            PackRow(codes.AsSpan((int)(row * layout.Columns), (int)layout.Columns), packed, row * layout.RowBits, layout.Bits);
        return packed;
    }

    private static void UnpackRow(ReadOnlySpan<byte> packed, long start, Span<byte> codes, int bits)
    {
        if (bits == 8)
        {
            packed.Slice((int)(start >> 3), codes.Length).CopyTo(codes);
            return;
        }
        if (bits != 4 || (start & 7) != 0)
        {
            for (var i = 0; i < codes.Length; i++) codes[i] = Get(packed, start + ((long)i * bits), bits);
            return;
        }
        var pairs = packed.Slice((int)(start >> 3), (codes.Length + 1) / 2);
        var apart = MemoryMarshal.Cast<byte, ushort>(codes);
        for (var i = 0; i < apart.Length; i++) apart[i] = (ushort)((pairs[i] & 0xF) | (pairs[i] >> 4 << 8));
        if (codes.Length % 2 == 1) codes[^1] = (byte)(pairs[^1] & 0xF);
    }

    private static void PackRow(ReadOnlySpan<byte> codes, byte[] packed, long start, int bits)
    {
        if (bits == 8)
        {
            codes.CopyTo(packed.AsSpan((int)(start >> 3)));
            return;
        }
        var (mask, done) = ((1 << bits) - 1, 0);
        if (bits == 4 && (start & 7) == 0)
        {
            var apart = MemoryMarshal.Cast<byte, ushort>(codes);
            var pairs = packed.AsSpan((int)(start >> 3), apart.Length);
            for (var i = 0; i < apart.Length; i++) pairs[i] = (byte)((apart[i] & 0xF) | ((apart[i] >> 4) & 0xF0));
            done = apart.Length * 2;
        }
        for (var i = done; i < codes.Length; i++)
        {
            var bit = start + ((long)i * bits);
            var (at, shift) = (bit >> 3, (int)(bit & 7));
            packed[at] = (byte)((packed[at] & ~(mask << shift)) | ((codes[i] & mask) << shift));
        }
    }
}
