using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Predictions;

/// <summary>The recipe of a model that comes without one: task, labels and lengths as its adapter, its metadata and the files beside it
/// say.</summary>
internal static class BareModel
{
    private const string Text = "text";
    private const string Pair = "pair";
    private const string Sequence = "sequence";
    private const string Regression = "regression";
    private const string TokenClassification = "token-classification";

    // Where nothing states how long rows may be.
    private const int UsualLength = 512;
    private const int LongestStated = 100_000;   // tokenizers that know no limit state 1e30

    /// <summary>Makes the recipe.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapter">Its adapter; null = none.</param>
    /// <param name="tokenizer">The folder of the tokenizer; null = the model's.</param>
    /// <exception cref="LortaException">LRT630: a model without a head; LRT631: an adapter of another task; LRT634: several labels for a
    /// text.</exception>
    public static Recipe ToRecipe(CanonicalModel model, Adapter? adapter, string? tokenizer)
    {
        var deployed = model.Deployed;
        var config = ModelConfig.Beside(deployed);
        var labels = adapter?.Config.Labels ?? ModelLabels.Of(deployed) ?? config.Labels;
        if (adapter?.Config.Task is { } trained && TrainingTasks.Find(trained)?.Predictions is null)
            throw PredictionErrors.NotPredicted(adapter.Path, trained);
        var task = adapter?.Config.Task ?? TasksOfModels.Guess(model, config, labels);
        if (task is null || TrainingTasks.Find(task)?.Predictions is null)
            throw PredictionErrors.NoHead(deployed.Path, string.Join(", ", deployed.Graph.Outputs));
        var isStated = adapter?.Config.Task is not null || ModelLabels.TaskOf(deployed) is not null;
        if (config.ProblemType == "multi_label_classification" && !isStated)
            throw PredictionErrors.SeveralLabels(deployed.Path);
        var folder = Path.GetFullPath(tokenizer ?? Path.GetDirectoryName(Path.GetFullPath(deployed.Path))!);
        return new Recipe
        {
            IsBare = true,
            Model = deployed.Path,
            Tokenizer = folder,
            Task = task,
            Data = new DataOptions
            {
                Train = string.Empty,
                Labels = task == Regression ? null : labels,
                MaxLength = LengthOf(folder, deployed),
                Columns = new ColumnOptions { Text = Text, Pair = Pair },
            },
        };
    }

    /// <summary>The recipe with the columns that the rows have: <c>text</c>, or of FASTA <c>sequence</c>, and <c>pair</c> where there is
    /// one.</summary>
    public static Recipe WithColumns(Recipe recipe, IReadOnlyList<DataRow> rows)
    {
        bool Has(string column) => rows.Any(row => row.Cells.ContainsKey(column));
        var columns = recipe.Data.Columns with
        {
            Text = Has(Sequence) && !Has(Text) ? Sequence : Text,
            Pair = Has(Pair) && recipe.Task != TokenClassification ? Pair : null,
        };
        return recipe with { Data = recipe.Data with { Columns = columns } };
    }

    private static int LengthOf(string tokenizer, OnnxModel model) =>
        new[] { StatedLength(Path.Combine(tokenizer, "tokenizer_config.json")), RowLength.LimitOf(model, tokenizer)?.Tokens }.Min()
            ?? UsualLength;

    private static int? StatedLength(string path)
    {
        if (!RealPath.HasFile(path)) return null;
        try
        {
            using var document = JsonDocument.Parse(PlainText.WithoutMark(File.ReadAllBytes(path)).ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("model_max_length", out var length)
                && length.ValueKind == JsonValueKind.Number && length.TryGetInt32(out var tokens) && tokens is > 0 and <= LongestStated
                ? tokens
                : null;
        }
        catch (JsonException)
        {
            return null;   // the tokenizer says so itself
        }
    }
}
