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

    /// <summary>Writes the folder of graphs in a form of the host's.</summary>
    internal static WrittenArtifacts Write(OrtTrainingGraphs written, TrainingGraphs graphs, string folder, bool embedWeights) =>
        ArtifactFolder.Write(
            folder,
            (written.Train, written.Eval, written.Optimizer),
            graphs.InitialAdapter,
            embedWeights,
            target => written.Checkpoint.Save(Path.Combine(target, ArtifactFolder.CheckpointFile)));
}
