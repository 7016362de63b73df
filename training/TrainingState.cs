using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Training;

/// <summary>All that training changes.</summary>
/// <param name="Step">Optimizer steps taken.</param>
/// <param name="Tensors">Trained tensors, the optimizer's state and the family's, by their names in checkpoints.</param>
public sealed record TrainingState(long Step, IReadOnlyDictionary<string, OnnxTensor> Tensors);
