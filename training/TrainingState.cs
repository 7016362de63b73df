using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training;

/// <summary>All that training changes.</summary>
/// <param name="Step">Optimizer steps taken.</param>
/// <param name="Tensors">Trained tensors, the optimizer's state and the family's, by their names in checkpoints.</param>
public sealed record TrainingState(long Step, IReadOnlyDictionary<string, OnnxTensor> Tensors)
{
    /// <summary>A tensor of another state that is not here, or has another type or shape; null = there is none.</summary>
    internal string? DifferenceFrom(TrainingState other) =>
        (from wanted in other.Tensors
         let found = Tensors.GetValueOrDefault(wanted.Key)
         where found is null || found.Type != wanted.Value.Type || !found.Dims.SequenceEqual(wanted.Value.Dims)
         select $"'{wanted.Key}' is {found?.ToString() ?? "missing"}, should be {wanted.Value}").FirstOrDefault();
}
