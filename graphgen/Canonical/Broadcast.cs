using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Host numbers repeated to the sizes of a result.</summary>
internal static class Broadcast
{
    /// <summary>A tensor's numbers as those of a tensor of the given sizes.</summary>
    public static float[] To(OnnxTensor tensor, long[] dims)
    {
        var (numbers, shift) = (tensor.ToFloats(), dims.Length - tensor.Rank);
        var result = new float[dims.Size()];
        if (result.Length == numbers.Length) return numbers;
        for (var i = 0L; i < result.Length; i++)
        {
            var rest = i;
            var from = 0L;
            var stride = 1L;
            for (var axis = dims.Length - 1; axis >= 0; axis--)
            {
                var index = rest % dims[axis];
                rest /= dims[axis];
                if (axis < shift || tensor.Dims[axis - shift] == 1) continue;
                from += index * stride;
                stride *= tensor.Dims[axis - shift];
            }
            result[i] = numbers[from];
        }
        return result;
    }
}
