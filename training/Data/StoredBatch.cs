using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Training.Data;

/// <summary>A batch from a safetensors file whose tensors bear the names of the model's inputs, and <c>labels</c>.</summary>
internal static class StoredBatch
{
    public static Batch Load(string path)
    {
        var file = Safetensors.Load(path);
        var ids = file.Get(path, TextInputs.Ids);
        if (ids is not { Dims.Count: 2, Count: > 0 and <= int.MaxValue })
            throw FileErrors.Corrupt(path, $"'input_ids' should be [batch, sequence], is {ids}");
        return Batch.Of([.. file.Tensors.Select(tensor => (tensor.Key, tensor.Value))]);
    }
}
