using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>The steps of a planned run, for a program that makes them elsewhere.</summary>
/// <param name="LearningRates">Learning rate of each step, in order, before the groups' factors.</param>
/// <param name="GradientAccumulation">Batches whose gradients are added up for one step; each counts alike.</param>
public sealed record StepSchedule(IReadOnlyList<double> LearningRates, int GradientAccumulation = 1)
{
    /// <summary>Writes it as JSON.</summary>
    internal void Save(string path)
    {
        var json = new JsonObject
        {
            ["learningRates"] = new JsonArray([.. LearningRates.Select(rate => JsonValue.Create(rate))]),
            ["gradientAccumulation"] = GradientAccumulation,
        };
        AtomicFile.WriteText(path, json.ToJsonString() + "\n");
    }
}
