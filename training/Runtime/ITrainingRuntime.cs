using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>What an evaluation needs of the machine that computes.</summary>
internal interface IForwardRuntime : IDisposable
{
    /// <summary>Evaluates a batch, without dropout.</summary>
    /// <returns>The loss and the model's outputs, by name.</returns>
    IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch);
}

/// <summary>What a trainer needs besides: sums of gradients, steps, and the state in and out.</summary>
internal interface ITrainingRuntime : IForwardRuntime
{
    /// <summary>Computes a batch's loss and adds its gradient, both times <paramref name="weight"/>.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="weight">Its share of the step: its labels / the step's labels.</param>
    /// <returns>weight · mean loss.</returns>
    double Accumulate(Batch batch, double weight);

    /// <summary>Clips the sum of gradients, moves every trained tensor, and starts the next sum at zero.</summary>
    /// <param name="learningRateFactor">What the schedule multiplies every learning rate by in this step.</param>
    /// <returns>The joint norm of the gradients before clipping; null where the runtime does not tell.</returns>
    double? Step(double learningRateFactor);

    /// <summary>Steps taken.</summary>
    long StepCount { get; }

    /// <summary>Starts the sum of gradients at zero, as after a step.</summary>
    void ClearGradients();

    /// <summary>Trained tensors, what the optimizer and the family keep, and the step count; setting it continues from there. The sum
    /// of gradients stays.</summary>
    TrainingState State { get; set; }

    /// <summary>The first step after which the adapter may be the best one of a run.</summary>
    long FirstFinalStep => 1;
}

/// <summary>A runtime whose gradients can be read.</summary>
internal interface IGradientRuntime : ITrainingRuntime
{
    /// <summary>The gradients summed so far, by name of the trained tensor.</summary>
    IReadOnlyDictionary<string, OnnxTensor> Gradients { get; }
}
