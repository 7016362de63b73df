using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>The names of the tasks.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TaskChoiceAttribute() : ChoiceAttribute([.. TaskLosses.All.Select(loss => loss.Name)]);
