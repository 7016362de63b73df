using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>The names of the tasks.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TaskChoiceAttribute() : ChoiceAttribute([.. TrainingTasks.All.Select(task => task.Name)]);
