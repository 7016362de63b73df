namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>The names of the optimizers.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptimizerChoiceAttribute : ChoiceAttribute
{
    public override IReadOnlyList<string> WordsOf(LortaCatalog catalog) => [.. OptimizerRule.All.Select(rule => rule.Name)];
}
