using System.Runtime.InteropServices;

namespace LoRTA.Onnx.GraphGen.Ir.Tensors;

/// <summary>Copies of tensors with other rows, another size of an axis, or transposed; elements have whole bytes.</summary>
internal static class TensorAxes
{
    /// <summary>The given rows of the first axis, in the given order; a row may occur more than once.</summary>
    public static OnnxTensor TakeRows(OnnxTensor tensor, ReadOnlySpan<int> rows)
    {
        var width = (int)(tensor.Dims[0] == 0 ? 0 : tensor.ByteCount / tensor.Dims[0]);
        var bytes = new byte[rows.Length * (long)width];
        for (var i = 0; i < rows.Length; i++) tensor.Bytes.Slice(rows[i] * width, width).CopyTo(bytes.AsSpan(i * width));
        return OnnxTensor.FromBytes(tensor.Type, [rows.Length, .. tensor.Dims.Skip(1)], bytes);
    }

    /// <summary>Tensors of one width, one below the other.</summary>
    public static OnnxTensor ConcatRows(IReadOnlyList<OnnxTensor> parts)
    {
        var bytes = new byte[parts.Sum(part => part.ByteCount)];
        var at = 0;
        foreach (var part in parts)
        {
            part.Bytes.CopyTo(bytes.AsSpan(at));
            at += (int)part.ByteCount;
        }
        return OnnxTensor.FromBytes(parts[0].Type, [parts.Sum(part => part.Dims[0]), .. parts[0].Dims.Skip(1)], bytes);
    }

    /// <summary>The tensor with <paramref name="axis"/> cut to a size, or extended to it by the number <paramref name="fill"/>, a scalar
    /// of the same type.</summary>
    public static OnnxTensor Resize(OnnxTensor tensor, int axis, int size, OnnxTensor fill)
    {
        if (tensor.Dims[axis] == size) return tensor;
        var outer = (int)tensor.Dims.Take(axis).Size();
        var inner = (int)tensor.Type.Bytes(tensor.Dims.Skip(axis + 1).Size());
        var before = (int)tensor.Dims[axis] * inner;
        var after = size * inner;
        var kept = (int)Math.Min(tensor.Dims[axis], size) * inner;
        var bytes = new byte[outer * (long)after];
        var element = fill.Bytes;
        for (var i = 0; i < outer; i++)
        {
            tensor.Bytes.Slice(i * before, kept).CopyTo(bytes.AsSpan(i * after));
            for (var at = (i * after) + kept; at < (i + 1) * after; at += element.Length) element.CopyTo(bytes.AsSpan(at));
        }
        return OnnxTensor.FromBytes(tensor.Type, [.. tensor.Dims.Take(axis), size, .. tensor.Dims.Skip(axis + 1)], bytes);
    }

    /// <summary>The bytes of the transpose of a matrix.</summary>
    public static Memory<byte> Transposed(OnnxTensor matrix)
    {
        var (rows, columns) = ((int)matrix.Dims[0], (int)matrix.Dims[1]);
        var transposed = new byte[matrix.ByteCount];
        switch (matrix.Type.Bits())
        {
            case 16: Transpose<ushort>(matrix.Bytes, transposed, rows, columns); break;
            case 32: Transpose<uint>(matrix.Bytes, transposed, rows, columns); break;
            case 64: Transpose<ulong>(matrix.Bytes, transposed, rows, columns); break;
            default: Transpose<byte>(matrix.Bytes, transposed, rows, columns); break;
        }
        return transposed;
    }

    /// <summary>[rows, columns] → [columns, rows].</summary>
    public static float[] Transposed(float[] matrix, int rows, int columns)
    {
        var transposed = new float[matrix.Length];
        Transpose<float>(MemoryMarshal.AsBytes<float>(matrix), MemoryMarshal.AsBytes(transposed.AsSpan()), rows, columns);
        return transposed;
    }

    private static void Transpose<T>(ReadOnlySpan<byte> from, Span<byte> to, int rows, int columns)
        where T : unmanaged
    {
        var source = MemoryMarshal.Cast<byte, T>(from);
        var target = MemoryMarshal.Cast<byte, T>(to);
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) target[(column * rows) + row] = source[(row * columns) + column];
    }
}
