using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace LoRTA.Onnx.Training;

/// <summary>When a run ends before its last step.</summary>
public sealed record EarlyStop
{
    /// <summary><c>loss</c>, or a metric of the task.</summary>
    [Description("loss, or a metric of the task.")]
    public string Metric { get; init; } = "loss";

    /// <summary>Evaluations without improvement that are tolerated.</summary>
    [Range(1, int.MaxValue), Description("Evaluations without improvement that are tolerated.")]
    public int Patience { get; init; } = 3;
}
