using LoRTA.Onnx.GraphGen.Artifacts;

namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>How trained tensors move: AdamW with decoupled decay, after clipping by the joint norm of all gradients.</summary>
public sealed record OptimizerOptions
{
    /// <summary>Peak learning rate, which the schedule scales.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of the running mean of gradients.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the running mean of squared gradients.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>ε, added outside the root.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Largest joint norm of the gradients; null = no clipping.</summary>
    public double? Clip { get; init; } = 1;

    internal AdamWOptions AdamW => new(Beta1, Beta2, Epsilon, Clip);

    internal OptimizedTensor Group(TrainedTensor tensor) =>
        new(tensor.Name, tensor.Initial.Dims, (tensor.Group.LearningRate ?? LearningRate) / LearningRate, tensor.Group.WeightDecay ?? WeightDecay);
}
