using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>What goes into each input of a model for a batch: the batch's own tensors, empty key/value caches, dropout masks.</summary>
internal sealed class BatchFeeds(DropoutMasks? dropout)
{
    /// <summary>Binds those inputs of a session that belong to one run: the weight of its loss, and what the batch holds.</summary>
    public void Bind(OrtRun run, InferenceSession session, IReadOnlyList<string> names, Batch batch, double weight,
        (long Step, int MicroBatch) at)
    {
        foreach (var name in names)
        {
            if (name == TrainingNames.Weight) run.Bind(name, OnnxTensor.Scalar((float)weight));
            else run.Bind(name, For(name, session.InputMetadata[name], batch, at));
        }
    }

    /// <summary>What an input is fed for a batch.</summary>
    public OnnxTensor For(string name, NodeMetadata input, Batch batch, (long Step, int MicroBatch) at) =>
        dropout is not null && TensorName.Parse(name).Kind == TensorKind.Dropout
            ? dropout.Mask(name, input.Dimensions, at, batch)
            : TextFeeds.For(name, input, batch.Inputs);
}
