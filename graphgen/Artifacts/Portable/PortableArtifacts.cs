using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.GraphGen.Artifacts.Portable;

/// <summary>Training graphs as files that any ONNX Runtime runs: gradients are outputs, the optimizer is its own graph.</summary>
public static class PortableArtifacts
{
    /// <summary>Writes <c>training_model.onnx</c>, <c>eval_model.onnx</c>, <c>optimizer_model.onnx</c>, <c>initial.safetensors</c> (the
    /// trained tensors by input) and <c>initial</c>, the adapter that these are; with a schedule also <c>schedule.json</c>.</summary>
    /// <param name="graphs">The graphs.</param>
    /// <param name="folder">The folder; appears whole or not at all.</param>
    /// <param name="embedWeights">Whether each model holds the frozen weights itself; otherwise both share <c>weights.data</c>.</param>
    /// <param name="schedule">The steps of the run; null = they are up to the program that trains.</param>
    /// <exception cref="LortaException">LRT104: cannot be written; LRT107: the folder holds other files; LRT572: the family changes
    /// factors after each step.</exception>
    public static WrittenArtifacts Write(TrainingGraphs graphs, string folder, bool embedWeights, StepSchedule? schedule = null)
    {
        ArtifactErrors.RefuseAfterStep(graphs);
        var train = graphs.Train.Clone();
        NormStatistics.Replace(new Tape(train.Graph));
        return ArtifactFolder.Write(
            folder,
            (train, graphs.Eval, graphs.Optimizer),
            graphs.InitialAdapter,
            embedWeights,
            target =>
            {
                Safetensors.Save(Path.Combine(target, ArtifactFolder.TensorFile), Initial(graphs));
                schedule?.Save(Path.Combine(target, ArtifactFolder.ScheduleFile));
            });
    }

    private static Dictionary<string, OnnxTensor> Initial(TrainingGraphs graphs)
    {
        var tensors = graphs.Trained.ToDictionary(tensor => tensor.Input.ToString(), tensor => tensor.Initial, StringComparer.Ordinal);
        foreach (var (input, tensor) in graphs.Frozen) tensors[input] = tensor;
        return tensors;
    }
}
