using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>The folder of training artifacts: three graphs, the trained tensors as the host reads them, and the adapter that these
/// are.</summary>
[Experimental(Unsettled.Id)]
public static class ArtifactFolder
{
    /// <summary>The trained tensors of the portable dialect, by input.</summary>
    public const string TensorFile = "initial.safetensors";

    /// <summary>The steps of the portable dialect, where a recipe plans them.</summary>
    public const string ScheduleFile = "schedule.json";

    /// <summary>Those of ONNX Runtime Training; what one file cannot hold lies in another beside it.</summary>
    public const string CheckpointFile = "checkpoint";

    /// <summary>The graph that trains.</summary>
    public const string TrainingFile = "training_model.onnx";

    /// <summary>The graph that evaluates.</summary>
    public const string EvaluationFile = "eval_model.onnx";

    /// <summary>The graph that steps.</summary>
    public const string OptimizerFile = "optimizer_model.onnx";

    /// <summary>The adapter folder.</summary>
    public const string InitialFolder = "initial";

    private const string CheckpointDataFile = "checkpoint.data";
    private const string WeightsFile = "weights.data";

    /// <summary>Writes the folder, whole or not at all.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="models">The graphs that train, evaluate and step.</param>
    /// <param name="initial">The adapter before the first step.</param>
    /// <param name="embedWeights">Whether each model holds the frozen weights itself; otherwise both share <c>weights.data</c>.</param>
    /// <param name="writeTensors">Writes the trained tensors, and what belongs to them, into the folder that it is given.</param>
    /// <exception cref="LortaException">LRT104: cannot be written; LRT107: the folder holds other files.</exception>
    internal static WrittenArtifacts Write(string folder, (OnnxModel Train, OnnxModel Eval, OnnxModel Optimizer) models,
        Adapter initial, bool embedWeights, Action<string> writeTensors)
    {
        IReadOnlyList<string> files = [];
        AtomicFolder.Write(folder, IsFile, target =>
        {
            var weights = embedWeights
                ? null
                : new ExternalLayout(WeightsFile, models.Train.Graph.Initializers.Concat(models.Eval.Graph.Initializers));
            if (weights is not null) AtomicFile.Write(Path.Combine(target, WeightsFile), weights.Write);
            Write(target, TrainingFile, models.Train, weights);
            Write(target, EvaluationFile, models.Eval, weights);
            Write(target, OptimizerFile, models.Optimizer, null);
            writeTensors(target);
            initial.Save(Path.Combine(target, InitialFolder));
            files = FolderFiles.In(target);
        });
        return new WrittenArtifacts(files, models.Train);
    }

    /// <summary>Whether a folder of artifacts, in whichever dialect, holds a file of that name.</summary>
    /// <param name="name">The name, relative with <c>/</c>.</param>
    public static bool IsFile(string name) =>
        name is WeightsFile or TrainingFile or EvaluationFile or OptimizerFile or TensorFile or ScheduleFile or CheckpointFile
            or CheckpointDataFile
        || (name.Split('/') is [InitialFolder, var file] && Adapter.IsFile(file));

    private static void Write(string folder, string name, OnnxModel model, ExternalLayout? weights) =>
        AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(ModelWriter.ToBytes(model, value => weights?.PlaceOf(value))));
}

/// <summary>A folder of training artifacts.</summary>
/// <param name="Files">Names of its files, relative with <c>/</c>.</param>
/// <param name="Training">The graph that trains.</param>
public sealed record WrittenArtifacts(IReadOnlyList<string> Files, OnnxModel Training);
