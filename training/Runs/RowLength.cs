using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Generation;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>How long rows may be for a model.</summary>
internal static class RowLength
{
    /// <summary>Refuses rows that are longer than what a model reads: it would fail at the first of them.</summary>
    /// <returns>What to know where they are only longer than what a file beside it states; null where they are not.</returns>
    /// <exception cref="LortaException">LRT519.</exception>
    public static string? Check(Recipe recipe, OnnxModel model)
    {
        var length = recipe.Data.MaxLength;
        if (LimitOf(model, recipe.Tokenizer) is not { } limit || length <= limit.Tokens) return null;
        if (length > PositionLimit.OfTable(model)?.Tokens) throw DataErrors.TooLong(length, limit.Tokens, limit.Source);
        return string.Create(CultureInfo.InvariantCulture,
            $"data.maxLength: {length} is more than {limit.Tokens} tokens ({limit.Source}), and the model may have learned none longer.");
    }

    /// <summary>How many tokens a model reads, by its graph and the configurations beside it and beside its tokenizer; null where nothing
    /// limits it.</summary>
    public static PositionLimit? LimitOf(OnnxModel model, string? tokenizer)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(model.Path))!;
        return PositionLimit.Of(model, tokenizer is null ? [folder] : [folder, tokenizer]);
    }
}
