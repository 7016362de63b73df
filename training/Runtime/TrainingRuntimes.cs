using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Opens what trains.</summary>
/// <param name="graphs">The graphs and the tensors that move.</param>
/// <param name="settings">Device and threads.</param>
/// <param name="dropout">Source of dropout masks; null = there is no dropout.</param>
internal delegate ITrainingRuntime OpenTrainingRuntime(TrainingGraphs graphs, OrtEngineOptions settings, DropoutMasks? dropout);

/// <summary>Chooses what runs the graphs of training.</summary>
internal static class TrainingRuntimes
{
    /// <summary>Opens what trains: on a card, tensors of one shape in one piece.</summary>
    public static IGradientRuntime Open(this OrtEngineOptions settings, TrainingGraphs graphs, DropoutMasks? dropout = null) =>
        settings.IsCuda ? new StackedRuntime(graphs, settings, dropout) : new OrtSessionRuntime(graphs, settings, dropout);

    /// <summary>Names of runtimes that train, the usual one first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["ort-session", "ort-training"];

    /// <summary>Plain ONNX Runtime.</summary>
    public static OpenTrainingRuntime OrtSession { get; } = (graphs, settings, dropout) => settings.Open(graphs, dropout);

    /// <summary>The training sessions of the native library, where it has them.</summary>
    public static OpenTrainingRuntime OrtTraining { get; } = (graphs, settings, dropout) =>
        new OrtTrainingRuntime(graphs, TrainingSessionHost.Kind(settings), dropout);

    /// <summary>The runtime of a name.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static OpenTrainingRuntime Named(string name) =>
        name == Names[0] ? OrtSession
        : name == Names[1] ? OrtTraining
        : throw new ArgumentException($"'{name}' is none of the runtimes {string.Join(", ", Names)}.", nameof(name));

    /// <summary>Opens what measures.</summary>
    public static IForwardRuntime Open(
        this OrtEngineOptions settings, EvaluationGraph graph, IReadOnlyDictionary<string, OnnxTensor> values) =>
        new OrtForward(graph, settings, values);
}
