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
        foreach (var name in names) run.Bind(name, For(name, InputPort.Of(session.InputMetadata[name]), (batch, weight), at));
    }

    /// <summary>What an input is fed for a batch.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="input">What it takes.</param>
    /// <param name="run">The batch, and its share of the step's loss.</param>
    /// <param name="at">The step, and the micro-batch in it.</param>
    public OnnxTensor For(string name, InputPort input, (Batch Batch, double Weight) run, (long Step, int MicroBatch) at) =>
        name == TrainingNames.Weight ? OnnxTensor.Scalar((float)run.Weight)
        : dropout is not null && TensorName.Parse(name).Kind == TensorKind.Dropout
            ? dropout.Mask(name, input.Dimensions, at, run.Batch)
            : TextFeeds.For(name, input, run.Batch.Inputs);
}
