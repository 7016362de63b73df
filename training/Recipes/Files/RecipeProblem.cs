namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Something wrong in a recipe.</summary>
/// <param name="Path">Where, for instance <c>train.optimizer.lr</c>; empty for the whole.</param>
/// <param name="Text">What, for instance <c>must be &gt; 0, was -1</c>.</param>
/// <param name="Source">Line of the file or option of the command line, where known.</param>
internal sealed record RecipeProblem(string Path, string Text, string? Source = null)
{
    /// <summary>The line of the file; null where <see cref="Source"/> is none.</summary>
    public int? Line { get; init; }
}
