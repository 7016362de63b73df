using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Tensors in the types that a model declares for its inputs: ids as int32, masks as float or bool.</summary>
internal static class InputTypes
{
    /// <summary>The same numbers in another type: floats rounded to the nearest, integers exact, true where a number is not 0.</summary>
    /// <param name="name">Name of the input.</param>
    /// <param name="tensor">Its numbers.</param>
    /// <param name="wanted">The type that the model declares.</param>
    /// <exception cref="LortaException">LRT415: a number has no place in the type.</exception>
    public static OnnxTensor Converted(string name, OnnxTensor tensor, ElementType wanted)
    {
        if (tensor.Type == wanted) return tensor;
        try
        {
            return OnnxTensor.FromBytes(wanted, [.. tensor.Dims], wanted.IsFloat()
                ? WeightView.Round(tensor.ToFloats(), wanted)
                : Integers(tensor, wanted));
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw LossErrors.WrongInputType(name, tensor, wanted, e);
        }
    }

    /// <summary>One number in a type that is known to hold it.</summary>
    public static OnnxTensor Scalar(double number, ElementType type) => Converted("a scalar", OnnxTensor.Scalar((float)number), type);

    private static Memory<byte> Integers(OnnxTensor tensor, ElementType wanted)
    {
        var numbers = tensor.Type.IsFloat() ? Array.ConvertAll(tensor.ToFloats(), Whole) : tensor.ToLongs();
        return wanted switch
        {
            ElementType.Bool => Raw(Array.ConvertAll(numbers, number => number != 0)),
            ElementType.Int64 => Raw(numbers),
            ElementType.Int32 => Raw(Array.ConvertAll(numbers, number => checked((int)number))),
            ElementType.Int16 => Raw(Array.ConvertAll(numbers, number => checked((short)number))),
            ElementType.Int8 => Raw(Array.ConvertAll(numbers, number => checked((sbyte)number))),
            ElementType.UInt8 => Raw(Array.ConvertAll(numbers, number => checked((byte)number))),
            ElementType.UInt32 => Raw(Array.ConvertAll(numbers, number => checked((uint)number))),
            ElementType.UInt64 => Raw(Array.ConvertAll(numbers, number => checked((ulong)number))),
            _ => throw new ArgumentException($"no numbers of the type {wanted.Display()}"),
        };
    }

    private static long Whole(float number) =>
        number == MathF.Truncate(number) ? checked((long)number) : throw new OverflowException($"{number} is not an integer");

    private static Memory<byte> Raw<T>(T[] numbers)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(numbers).ToArray();
}
