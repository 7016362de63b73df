using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Training.Recipes;

namespace LoRTA.Onnx.Training.Data;

/// <summary>What decides how rows become samples and batches.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
internal sealed record DataContext(Recipe Recipe, TextTokenizer Tokenizer)
{
    private const double LeastShare = 0.9;

    /// <summary>How many classes the model distinguishes, where known: larger labels are refused.</summary>
    public int? Classes { get; init; }

    /// <summary>How many tokens the model knows, where known: larger ids are refused.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>What to know where the tokenizer is probably another model's; null where it may be the model's. Tables are made longer
    /// than they need be, but not by much.</summary>
    public string? TokenizerWarning => Tokenizer.VocabularySize < LeastShare * Vocabulary
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"The tokenizer ({Recipe.Tokenizer}) has {Tokenizer.VocabularySize:N0} tokens, the model {Vocabulary:N0}: is it the model's?")
        : null;

    /// <summary>What the model's own input for labels takes.</summary>
    public LabelKind OwnLabels { get; init; } = LabelKind.None;

    /// <summary>The loss, which counts labels; null = that of this project which the recipe names.</summary>
    public ILoss Loss { get => field ?? LortaCatalog.Default.LossOf(Recipe.Task); init; }

    /// <summary>Whether rows have labels; those of a file that is predicted need none.</summary>
    public bool HasLabels { get; init; } = true;

    public DataOptions Options => Recipe.Data;

    /// <summary>The column of labels; null where rows have none.</summary>
    public string? LabelColumn => HasLabels ? Options.Columns.Label : null;

    /// <summary>Names of the classes in the order of their indices; empty: labels are indices.</summary>
    public IReadOnlyList<string> Labels => Recipe.Classes() ?? [];

    /// <summary>The data of a recipe for a model, which may fix the length of rows.</summary>
    /// <exception cref="GraphGen.LortaException">LRT514: the recipe names more or fewer classes than the model has.</exception>
    public static DataContext Of(Recipe recipe, EvaluationGraph graph)
    {
        if (recipe.Classes() is { } named && graph.Classes is { } known && named.Count != known)
            throw DataErrors.OtherClasses(named.Count, known);
        var length = Math.Min(recipe.Data.MaxLength, graph.Batches.Sizes.Length ?? int.MaxValue);
        return new(recipe with { Data = recipe.Data with { MaxLength = length } }, TextTokenizer.Load(recipe.Tokenizer!))
        {
            Classes = graph.Classes,
            Vocabulary = TokenEmbedding.Vocabulary(graph.Model),
            Loss = graph.Batches.Loss!,
            OwnLabels = LabelKind.Of(graph.Model.Graph),
        };
    }
}
