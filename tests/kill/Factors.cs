using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Kill.Tests;

/// <summary>Values of a LoRTA adapter of rank 2 on the bundled llama-mini that change every adapted weight.</summary>
internal static class Factors
{
    private static readonly (string Name, int Rows)[] Shapes = [("A", 128), ("B", 32), ("C_H", 4), ("C_L", 4), ("C_M", 4)];

    public static void Save(string path, int seed)
    {
        var tensors = Shapes.ToDictionary(shape => shape.Name, shape => RandomTensor.Normal(shape.Name, [shape.Rows, 2], 1, seed), StringComparer.Ordinal);
        Safetensors.Save(path, tensors);
    }
}
