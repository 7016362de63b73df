using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>A tensor that training changes.</summary>
/// <param name="Input">Input of the graphs that holds it: a factor, or a parameter of the model.</param>
/// <param name="Initial">Its value at step 0.</param>
/// <param name="Group">Learning rate and decay of its own, where they differ.</param>
public sealed record TrainedTensor(TensorName Input, OnnxTensor Initial, ParameterGroup Group)
{
    /// <summary>Name in adapter files and checkpoints: a factor's, or <c>param.&lt;name&gt;</c>.</summary>
    public string Name => Input.Kind == TensorKind.Factor ? Input.Name : Input;

    /// <summary>Output of the training graph that is its gradient.</summary>
    public string Gradient => new TensorName(TensorKind.Gradient, Name);
}

/// <summary>Learning rate and decay of some of the trained tensors.</summary>
/// <param name="LearningRate">Peak learning rate; null = the optimizer's.</param>
/// <param name="WeightDecay">Decoupled decay; null = the optimizer's.</param>
/// <param name="LearningRateFactor">What the learning rate is multiplied by.</param>
public sealed record ParameterGroup(double? LearningRate = null, double? WeightDecay = null, double LearningRateFactor = 1)
{
    /// <summary>Everything as the optimizer says.</summary>
    public static ParameterGroup Default { get; } = new();
}
