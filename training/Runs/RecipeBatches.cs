using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The first batches of a recipe's data, on which models are compared.</summary>
/// <param name="Train">Of what is learned from.</param>
/// <param name="Held">Of the validation data, of what is learned from where there are none.</param>
public sealed record RecipeBatches(IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Train,
    IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Held)
{
    private const long Tokens = 4096;   // of each set, about

    /// <summary>Reads the data of a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="model">The training copy of its model, which says what the labels look like.</param>
    /// <param name="catalog">Losses to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    public static RecipeBatches Of(Recipe recipe, CanonicalModel model, LortaCatalog? catalog = null)
    {
        recipe = recipe.Resolved();
        RowLength.Check(recipe, model.Deployed);
        var graph = EvaluationGraph.Of(model, recipe.Task, RecipeMapping.LossOutput(recipe), catalog ?? LortaCatalog.Default);
        var (train, validation) = PreparedTask.DataOf(recipe, graph);
        var learned = First(train.From(default).Take(train.BatchesPerEpoch));
        return new RecipeBatches(learned, validation is null ? learned : First(validation.InOrder()));
    }

    private static List<IReadOnlyDictionary<string, OnnxTensor>> First(IEnumerable<Batch> batches)
    {
        var (first, tokens) = (new List<IReadOnlyDictionary<string, OnnxTensor>>(), Tokens);
        foreach (var batch in batches)
        {
            first.Add(batch.Inputs);
            tokens -= (long)batch.Rows * batch.Length;
            if (tokens <= 0) break;
        }
        return first;
    }
}
