using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Losses;

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
        var labels = file.Tensors.GetValueOrDefault(TrainingNames.Labels);
        var inputs = file.Tensors.ToDictionary(StringComparer.Ordinal);
        foreach (var (name, tensor) in TextInputs.DefaultsFor(ids.Dims[0], ids.Dims[1])) inputs.TryAdd(name, tensor);
        return new Batch(inputs, (int)ids.Dims[0], (int)ids.Dims[1], labels?.Count ?? 0, ids.Count);
    }
}
