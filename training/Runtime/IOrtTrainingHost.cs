using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>ONNX Runtime Training with a folder of artifacts open, wherever it runs.</summary>
internal interface IOrtTrainingHost : IDisposable
{
    /// <summary>Runs the training graph, which adds the gradients of a batch to their sum.</summary>
    /// <param name="inputs">The inputs of a batch, in the order of the graph.</param>
    /// <returns>Loss and scores, in the order of the graph; then gradients, where it needs them.</returns>
    IReadOnlyList<OnnxTensor> Train(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs);

    /// <summary>Runs the evaluation graph.</summary>
    /// <inheritdoc cref="Train"/>
    IReadOnlyList<OnnxTensor> Evaluate(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs);

    /// <summary>Moves the parameters; the next sum of gradients starts at zero.</summary>
    /// <param name="learningRate">The rate, for a host that can set one.</param>
    void Step(float learningRate);

    /// <summary>Starts the sum of gradients at zero.</summary>
    void ResetGradients();

    /// <summary>The parameters as they are, and what the optimizer keeps where the host can tell.</summary>
    OrtCheckpoint Save();
}

/// <summary>A kind of host.</summary>
/// <param name="Open">Opens a folder of artifacts.</param>
internal sealed record OrtTrainingHostKind(Func<string, IOrtTrainingHost> Open)
{
    /// <summary>Whether it reads no files beside the models.</summary>
    public bool NeedsEmbeddedWeights { get; init; }

    /// <summary>Whether it is given the gradients of a batch behind its scores, to tell the moments that its runtime does not.</summary>
    public bool NeedsGradients { get; init; }

    /// <summary>Learning rate of each step, where the host cannot set one; null = it can.</summary>
    public IReadOnlyList<double>? Rates { get; init; }
}
