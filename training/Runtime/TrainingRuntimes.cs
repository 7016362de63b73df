using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Chooses what runs the graphs of training.</summary>
internal static class TrainingRuntimes
{
    /// <summary>Opens what trains: on a card, tensors of one shape in one piece.</summary>
    public static ITrainingRuntime Open(this OrtEngineOptions settings, TrainingGraphs graphs, DropoutMasks? dropout = null) =>
        settings.IsCuda ? new StackedRuntime(graphs, settings, dropout) : new OrtSessionRuntime(graphs, settings, dropout);

    /// <summary>Opens what measures.</summary>
    public static IForwardRuntime Open(
        this OrtEngineOptions settings, EvaluationGraph graph, IReadOnlyDictionary<string, OnnxTensor> values) =>
        new OrtForward(graph, settings, values);
}
