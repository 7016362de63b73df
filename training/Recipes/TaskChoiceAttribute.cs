using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>The names of the tasks: those of the losses.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TaskChoiceAttribute : ChoiceAttribute
{
    public override IReadOnlyList<string> WordsOf(LortaCatalog catalog) => [.. catalog.Losses.Select(loss => loss.Name)];
}
