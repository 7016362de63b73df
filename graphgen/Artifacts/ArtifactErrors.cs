namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>What no files of training graphs hold.</summary>
internal static class ArtifactErrors
{
    /// <summary>Refuses a family with a part of its own after each step: whoever runs the files would leave it out and not
    /// notice.</summary>
    /// <exception cref="LortaException">LRT572: the family has one.</exception>
    public static void RefuseAfterStep(TrainingGraphs graphs)
    {
        var family = graphs.Plan.Family;
        if (family.AfterStep(graphs.Plan.Sites, int.MaxValue) is null) return;
        throw new LortaException(
            "LRT572",
            $"{family.Method} changes its factors after each step, which training graphs have no place for.",
            "Choose another family, or train with `lorta train` on plain ONNX Runtime.");
    }
}
