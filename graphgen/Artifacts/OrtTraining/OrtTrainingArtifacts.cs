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
    /// <param name="schedule">The steps of the run, which the optimizer's graph then takes its learning rates from, whatever rate the
    /// host sets; null = the host sets it.</param>
    /// <exception cref="LortaException">LRT570 … LRT574, LRT581: something has no place in this runtime; LRT104: cannot be written;
    /// LRT107: the folder holds other files.</exception>
    public static WrittenArtifacts Write(TrainingGraphs graphs, string folder, bool embedWeights, StepSchedule? schedule = null) =>
        Write(OrtTrainingGraphs.Of(graphs, OrtTrainingForm.Foreign(schedule)), graphs, folder, embedWeights);

    /// <summary>The adapter that was trained with a folder of artifacts.</summary>
    /// <param name="file">A checkpoint that a host saved, or all trained parameters as bytes: float32, little-endian, one behind the other
    /// in the order of the graph's inputs.</param>
    /// <param name="artifacts">The folder that the training began with.</param>
    /// <exception cref="LortaException">LRT101, LRT103, LRT105: not readable; LRT313: numbers that are not finite; LRT579, LRT580: of
    /// other artifacts.</exception>
    public static ReturnedAdapter AdapterOf(string file, string artifacts)
    {
        var initial = Adapter.Load(Path.Combine(artifacts, ArtifactFolder.InitialFolder));
        var first = OrtCheckpoint.Load(Path.Combine(artifacts, ArtifactFolder.CheckpointFile));
        var tensors = initial.Tensors.ToDictionary(StringComparer.Ordinal);
        var error = 0.0;
        foreach (var (parameter, value) in ReturnedParameters.Read(file, first))
        {
            var name = TensorName.Parse(parameter) is { Kind: TensorKind.Factor } factor ? factor.Name : parameter;
            var scale = first.Properties.Floats.GetValueOrDefault(OrtTrainedTensor.FactorNote(parameter), 1);
            tensors[name] = Adapter.Checked(file, name, value.Dims, OrtTrainedTensor.Scaled(value, scale));
            if (scale != 1) error = Math.Max(error, Rounding(value.ToFloats(), scale, tensors[name].ToFloats()));
        }
        return new ReturnedAdapter(initial with { Tensors = tensors }, error);
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

    // ‖rounded − s·value‖ / ‖s·value‖
    private static double Rounding(float[] values, double scale, float[] rounded)
    {
        var (difference, all) = (0.0, 0.0);
        foreach (var (value, found) in values.Zip(rounded))
        {
            var exact = value * scale;
            difference += (found - exact) * (found - exact);
            all += exact * exact;
        }
        return all == 0 ? 0 : Math.Sqrt(difference / all);
    }

    /// <summary>Writes the folder of graphs in a form of the host's.</summary>
    internal static WrittenArtifacts Write(OrtTrainingGraphs written, TrainingGraphs graphs, string folder, bool embedWeights) =>
        ArtifactFolder.Write(
            folder,
            (written.Train, written.Eval, written.Optimizer),
            graphs.InitialAdapter,
            embedWeights,
            target => written.Checkpoint.Save(Path.Combine(target, ArtifactFolder.CheckpointFile)));
}

/// <summary>An adapter of what a host has trained.</summary>
/// <param name="Adapter">The adapter.</param>
/// <param name="Error">How far it is from what was trained, relative, of the tensor where that is most: a group's learning rate is held in
/// its tensors, and taking it out rounds.</param>
public sealed record ReturnedAdapter(Adapter Adapter, double Error);
