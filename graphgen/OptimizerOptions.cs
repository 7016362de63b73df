using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.GraphGen;

/// <summary>How trained tensors move: AdamW with decoupled decay, or gradient descent without momentum, after clipping by the joint norm of
/// all gradients.</summary>
public sealed record OptimizerOptions
{
    /// <summary>Name of the rule: <c>adamw</c>, or <c>sgd</c>, which is gradient descent without momentum.</summary>
    [OptimizerChoice, Description("The optimizer; `sgd` has no momentum.")]
    public string Name { get; init; } = OptimizerRule.AdamW;

    /// <summary>Learning rate η, which the schedule scales.</summary>
    [JsonPropertyName("lr"), Range(0, double.PositiveInfinity, MinimumIsExclusive = true), Description("Peak learning rate.")]
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>β₁ and β₂, the decays of the running means of gradients and of their squares.</summary>
    [Range(0, 1, MaximumIsExclusive = true), Length(2, 2), Description("Decay rates of the two moments of AdamW.")]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Lists are collections, whose Count is not found by reflection.")]
    public IReadOnlyList<double> Betas { get; init; } = [0.9, 0.999];

    /// <summary>ε, added outside the root.</summary>
    [JsonPropertyName("eps"), Range(0, double.PositiveInfinity, MinimumIsExclusive = true)]
    [Description("Added to the root of the second moment of AdamW.")]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decay λ of the tensors themselves: p shrinks by ηλp in a step.</summary>
    [Range(0, double.PositiveInfinity), Description("Decoupled weight decay.")]
    public double WeightDecay { get; init; }

    /// <summary>Largest joint norm of the gradients; null = no clipping. In a recipe <c>train.clip</c>.</summary>
    [JsonIgnore]
    public double? Clip { get; init; } = 1;

    /// <summary>The rule.</summary>
    internal OptimizerRule Rule => OptimizerRule.Find(Name)!;

    /// <summary>The optimizer's graph for some tensors.</summary>
    internal OnnxModel Build(IEnumerable<TrainedTensor> tensors) => Rule.Build([.. tensors.Select(Group)], this);

    /// <summary>Refuses what no optimizer of this project does.</summary>
    /// <exception cref="ArgumentException">An unknown name, or not two betas.</exception>
    internal void Validate()
    {
        if (OptimizerRule.Find(Name) is null)
        {
            var names = string.Join(" or ", OptimizerRule.All.Select(rule => rule.Name));
            throw new ArgumentException($"optimizer.name: must be {names}, was '{Name}'");
        }
        if (Betas.Count != 2) throw new ArgumentException($"optimizer.betas: must hold two numbers, holds {Betas.Count}");
    }

    /// <summary>A tensor with the settings of its group.</summary>
    internal OptimizedTensor Group(TrainedTensor tensor) =>
        new(
            tensor.Name,
            tensor.Initial.Dims,
            (tensor.Group.LearningRate ?? LearningRate) / LearningRate * tensor.Group.LearningRateFactor,
            tensor.Group.WeightDecay ?? WeightDecay);
}
