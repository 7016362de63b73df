using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LoRTA.Onnx.Runtime;

/// <summary>Tensors on their way into ONNX Runtime and back.</summary>
internal static class OrtTensors
{
    public static TensorElementType TypeOf(ElementType type) => (TensorElementType)(int)type;   // both count as the ONNX format does

    /// <summary>A copy of the tensor, owned by the result.</summary>
    public static OrtValue ToOrt(OnnxTensor tensor)
    {
        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TypeOf(tensor.Type), [.. tensor.Dims]);
        tensor.Bytes.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    /// <summary>A copy of the value's numbers.</summary>
    public static OnnxTensor FromOrt(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        return OnnxTensor.FromBytes((ElementType)(int)info.ElementDataType, info.Shape, Raw(value, info).ToArray());
    }

    private static ReadOnlySpan<byte> Raw(OrtValue value, OrtTensorTypeAndShapeInfo info) => (ElementType)(int)info.ElementDataType switch
    {
        ElementType.Float => MemoryMarshal.AsBytes(value.GetTensorDataAsSpan<float>()),
        ElementType.Int64 => MemoryMarshal.AsBytes(value.GetTensorDataAsSpan<long>()),
        _ => value.GetTensorMutableRawData(),
    };
}
