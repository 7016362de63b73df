using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Data;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>What goes into each input of a model for a batch: the batch's own tensors, empty key/value caches, dropout masks.</summary>
internal sealed class BatchFeeds(DropoutMasks? dropout)
{
    public Tensor For(string name, NodeMetadata input, Batch batch, (long Step, int MicroBatch) at)
    {
        if (batch.Inputs.TryGetValue(name, out var tensor))
            return InputTypes.Converted(name, tensor, (ElementType)(int)input.ElementDataType);
        if (name.StartsWith(TrainingNames.Dropout, StringComparison.Ordinal) && dropout is not null) return dropout.Mask(name, input.Dimensions, at, batch);
        return input.Dimensions.Length == 4 && ((ElementType)(int)input.ElementDataType).IsFloat() ? EmptyCache(input, batch) : throw RuntimeErrors.MissingInput(name);
    }

    // [batch, kvHeads, past, headWidth] with nothing in the past.
    private static Tensor EmptyCache(NodeMetadata input, Batch batch) =>
        Tensor.FromBytes((ElementType)(int)input.ElementDataType, [batch.Rows, input.Dimensions[1], 0, input.Dimensions[3]], Memory<byte>.Empty);
}
