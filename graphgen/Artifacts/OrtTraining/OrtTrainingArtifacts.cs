using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>Training graphs as files for the training sessions of ONNX Runtime Training 1.19.2.</summary>
public static class OrtTrainingArtifacts
{
    /// <summary>Writes <c>training_model.onnx</c>, <c>eval_model.onnx</c>, <c>optimizer_model.onnx</c>, <c>checkpoint</c> (the trained
    /// tensors) and <c>initial</c>, the adapter that these are.</summary>
    /// <param name="graphs">The graphs.</param>
    /// <param name="folder">The folder; appears whole or not at all.</param>
    /// <param name="embedWeights">Whether each model holds the frozen weights itself, as WebAssembly needs it; otherwise both share
    /// <c>weights.data</c>.</param>
    /// <exception cref="LortaException">LRT570 … LRT574: something has no place in this runtime; LRT104: cannot be written; LRT107: the
    /// folder holds other files.</exception>
    public static WrittenArtifacts Write(TrainingGraphs graphs, string folder, bool embedWeights) =>
        Write(OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign), graphs, folder, embedWeights);

    /// <summary>The adapter that was trained with a folder of artifacts.</summary>
    /// <param name="file">A checkpoint that a host saved, or all trained parameters as bytes: float32, little-endian, one behind the other
    /// in the order of the graph's inputs.</param>
    /// <param name="artifacts">The folder that the training began with.</param>
    /// <exception cref="LortaException">LRT101, LRT103, LRT105: not readable; LRT313: numbers that are not finite; LRT579, LRT580: of
    /// other artifacts.</exception>
    public static Adapter AdapterOf(string file, string artifacts)
    {
        var initial = Adapter.Load(Path.Combine(artifacts, ArtifactFolder.InitialFolder));
        var first = OrtCheckpoint.Load(Path.Combine(artifacts, ArtifactFolder.CheckpointFile));
        var tensors = initial.Tensors.ToDictionary(StringComparer.Ordinal);
        foreach (var (parameter, value) in ReturnedParameters.Read(file, first))
        {
            var name = TensorName.Parse(parameter) is { Kind: TensorKind.Factor } factor ? factor.Name : parameter;
            var scale = first.Properties.Floats.GetValueOrDefault(OrtTrainedTensor.FactorNote(parameter), 1);
            tensors[name] = Adapter.Checked(file, name, value.Dims, OrtTrainedTensor.Scaled(value, scale));
        }
        return initial with { Tensors = tensors };
    }

    /// <summary>The files that an adapter is made of then.</summary>
    /// <param name="file">As in <see cref="AdapterOf"/>.</param>
    /// <param name="artifacts">As in <see cref="AdapterOf"/>.</param>
    public static IEnumerable<string> FilesOf(string file, string artifacts) =>
    [
        file,
        Path.Combine(artifacts, ArtifactFolder.CheckpointFile),
        .. Adapter.FilesOf(Path.Combine(artifacts, ArtifactFolder.InitialFolder)),
    ];

    /// <summary>Writes the folder of graphs in a form of the host's.</summary>
    internal static WrittenArtifacts Write(OrtTrainingGraphs written, TrainingGraphs graphs, string folder, bool embedWeights) =>
        ArtifactFolder.Write(
            folder,
            (written.Train, written.Eval, written.Optimizer),
            graphs.InitialAdapter,
            embedWeights,
            target => written.Checkpoint.Save(Path.Combine(target, ArtifactFolder.CheckpointFile)));
}
