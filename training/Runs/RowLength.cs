using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime.Generation;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>How long rows may be for a model.</summary>
internal static class RowLength
{
    /// <summary>Refuses rows that are longer than what a model reads: it would fail at the first of them, or compute nonsense.</summary>
    /// <exception cref="LortaException">LRT519.</exception>
    public static void Check(Recipe recipe, OnnxModel model)
    {
        if (LimitOf(model, recipe.Tokenizer) is { } limit && recipe.Data.MaxLength > limit.Tokens)
            throw DataErrors.TooLong(recipe.Data.MaxLength, limit.Tokens, limit.Source);
    }

    /// <summary>How many tokens a model reads, by its graph and the configurations beside it and beside its tokenizer; null where nothing
    /// limits it.</summary>
    public static PositionLimit? LimitOf(OnnxModel model, string? tokenizer)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(model.Path))!;
        return PositionLimit.Of(model, tokenizer is null ? [folder] : [folder, tokenizer]);
    }
}
