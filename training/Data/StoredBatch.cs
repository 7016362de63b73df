using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Training.Data;

/// <summary>A batch from a safetensors file whose tensors bear the names of the model's inputs, and <c>labels</c>.</summary>
internal static class StoredBatch
{
    public static Batch Load(string path)
    {
        var file = Safetensors.Load(path);
        var ids = file.Get(path, "input_ids");
        if (ids is not { Dims.Count: 2, Count: > 0 and <= int.MaxValue })
            throw FileErrors.Corrupt(path, $"'input_ids' should be [batch, sequence], is {ids}");
        var labels = file.Tensors.GetValueOrDefault(TrainingNames.Labels);
        var inputs = file.Tensors.ToDictionary(StringComparer.Ordinal);
        inputs.TryAdd("attention_mask", OnnxTensor.Of<long>([.. ids.Dims], Enumerable.Repeat(1L, (int)ids.Count).ToArray()));
        inputs.TryAdd("token_type_ids", OnnxTensor.Of<long>([.. ids.Dims], new long[ids.Count]));
        inputs.TryAdd("position_ids", OnnxTensor.Of<long>([.. ids.Dims], [.. Enumerable.Range(0, (int)ids.Count).Select(i => i % ids.Dims[1])]));
        return new Batch(inputs, (int)ids.Dims[0], (int)ids.Dims[1], labels?.Count ?? 0, ids.Count);
    }
}
