using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The files that a recipe makes a command read, which no output may replace.</summary>
[Experimental(Unsettled.Id)]
public static class RecipeFiles
{
    private static readonly string[] TokenizerFiles =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "tokenizer.model", "vocab.txt", "config.json",
    ];

    /// <summary>The recipe, its model, data and tokenizer. The model's data files are known when it is loaded.</summary>
    /// <param name="recipe">The resolved recipe.</param>
    /// <param name="path">Its own file; null for one that was made in code.</param>
    /// <param name="catalog">What there is to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    public static IReadOnlyList<string> Of(Recipe recipe, string? path, LortaCatalog? catalog = null) =>
    [
        .. recipe.Adapter.From is { } from ? StoredAdapters.FilesOf(from, catalog) : [],
        .. new[] { path, recipe.Data.Train, recipe.Data.Validation }.OfType<string>(),
        .. Directory.Exists(recipe.Model) ? Directory.EnumerateFiles(recipe.Model, "*.onnx") : [recipe.Model],
        .. recipe.Tokenizer is { } folder ? TokenizerFiles.Select(name => Path.Combine(folder, name)).Where(File.Exists) : [],
    ];
}
