using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.GraphGen.Artifacts.Portable;

/// <summary>Training graphs as files that any ONNX Runtime runs: gradients are outputs, the optimizer is its own graph.</summary>
public static class PortableArtifacts
{
    private const string WeightsFile = "weights.data";
    private const string TrainingFile = "training_model.onnx";
    private const string EvaluationFile = "eval_model.onnx";
    private const string OptimizerFile = "optimizer_model.onnx";
    private const string InitialFile = "initial.safetensors";

    /// <summary>Writes <c>training_model.onnx</c>, <c>eval_model.onnx</c>, <c>optimizer_model.onnx</c> and <c>initial.safetensors</c> (the
    /// trained tensors by input).</summary>
    /// <param name="graphs">The graphs.</param>
    /// <param name="folder">The folder; appears whole or not at all.</param>
    /// <param name="embedWeights">Whether each model holds the frozen weights itself; otherwise both share <c>weights.data</c>.</param>
    /// <returns>Names of the files.</returns>
    /// <exception cref="LortaException">LRT104: cannot be written; LRT107: the folder holds other files.</exception>
    public static IReadOnlyList<string> Write(TrainingGraphs graphs, string folder, bool embedWeights)
    {
        string[] files = [];
        AtomicFolder.Write(folder, IsFile, target =>
        {
            var weights = embedWeights
                ? null
                : new ExternalLayout(WeightsFile, graphs.Train.Graph.Initializers.Concat(graphs.Eval.Graph.Initializers));
            if (weights is not null) AtomicFile.Write(Path.Combine(target, WeightsFile), weights.Write);
            Write(target, TrainingFile, graphs.Train, weights);
            Write(target, EvaluationFile, graphs.Eval, weights);
            Write(target, OptimizerFile, graphs.Optimizer, null);
            Safetensors.Save(Path.Combine(target, InitialFile), Initial(graphs));
            files = [.. Directory.EnumerateFiles(target).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        });
        return files;
    }

    /// <summary>Whether a folder of artifacts holds a file of that name.</summary>
    internal static bool IsFile(string name) => name is WeightsFile or TrainingFile or EvaluationFile or OptimizerFile or InitialFile;

    private static void Write(string folder, string name, OnnxModel model, ExternalLayout? weights) =>
        AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(ModelWriter.ToBytes(model, value => weights?.PlaceOf(value))));

    private static Dictionary<string, OnnxTensor> Initial(TrainingGraphs graphs)
    {
        var tensors = graphs.Trained.ToDictionary(tensor => tensor.Input.ToString(), tensor => tensor.Initial, StringComparer.Ordinal);
        foreach (var (input, tensor) in graphs.Frozen) tensors[input] = tensor;
        return tensors;
    }
}
