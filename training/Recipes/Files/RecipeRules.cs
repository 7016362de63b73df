using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Messages;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>What a recipe must fulfil: the attributes of its records, and the rules that span several keys.</summary>
internal static class RecipeRules
{
    private const string NeedsEvaluations = "needs evaluations: give data.validation or data.validationFraction, and train.evaluateEvery";

    /// <summary>Keys that later versions will have, each with what to do until then.</summary>
    internal static readonly IReadOnlyDictionary<string, string> NotYet = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["head"] = "a new head is not supported yet; export the model with the head of its task "
            + "(such as AutoModelForSequenceClassification)",
    };

    /// <summary>Keys that only some tasks read, and whether a recipe gives them another value than the default.</summary>
    internal static readonly (string Key, Func<Recipe, bool> IsWritten)[] TaskKeys =
    [
        ("taskOptions.probability", recipe => !recipe.TaskOptions.Probability.Equals(new TaskOptions().Probability)),
        ("taskOptions.output", recipe => recipe.TaskOptions.Output != new TaskOptions().Output),
        ("data.template", recipe => recipe.Data.Template is not null),
        ("data.template.prompt", recipe => recipe.Data.Template is { Prompt.Length: > 0 }),
        ("data.columns.pair", recipe => recipe.Data.Columns.Pair is not null),
        ("data.columns.mask", recipe => recipe.Data.Columns.Mask is not null),
        ("data.labels", recipe => recipe.Data.Labels is not null),
        ("data.bos", recipe => !recipe.Data.Bos),
        ("data.eos", recipe => !recipe.Data.Eos),
        ("data.packing", recipe => recipe.Data.Packing),
        ("train.samples", recipe => recipe.Train.Samples.Count > 0),
    ];

    /// <summary>Keys that say the same thing in two ways, and whether a recipe gives both. A default counts as not written: a resolved
    /// recipe writes them all.</summary>
    internal static readonly (string Key, string Other, Func<Recipe, bool> AreWritten)[] Alternatives =
    [
        ("train.steps", "train.epochs", recipe => recipe.Train.Steps is not null && recipe.Train.Epochs != new TrainOptions().Epochs),
        ("train.schedule.warmupSteps", "train.schedule.warmupRatio", recipe => recipe.Train.Schedule.WarmupSteps is not null
            && !recipe.Train.Schedule.WarmupRatio.Equals(new Schedule().WarmupRatio)),
        ("data.validationFraction", "data.validation", recipe => recipe.Data is { Validation: not null, ValidationFraction: not null }),
    ];

    /// <summary>All problems of a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="catalog">Families and losses to choose from.</param>
    public static IEnumerable<RecipeProblem> Check(Recipe recipe, LortaCatalog catalog) =>
    [
        .. OptionChecks.Check(recipe, catalog),
        .. Method(recipe, catalog),
        .. Targets(recipe.Adapter, catalog),
        .. Twice(recipe),
        .. Task(recipe, catalog),
        .. Paths(recipe),
        .. Data(recipe.Data),
        .. Adapter(recipe, catalog),
        .. Train(recipe, catalog),
    ];

    private static IEnumerable<RecipeProblem> Method(Recipe recipe, LortaCatalog catalog)
    {
        var known = catalog.Families.Select(family => family.Method).ToList();
        if (!known.Contains(recipe.Adapter.Method))
            yield return new(
                "adapter.method",
                $"'{recipe.Adapter.Method}' is not supported yet; supported: {string.Join(", ", known)}"
                    + Suggestion.Sentence(recipe.Adapter.Method, known));
    }

    // The names of its places are the family's.
    private static IEnumerable<RecipeProblem> Targets(AdapterOptions adapter, LortaCatalog catalog)
    {
        if (adapter.Targets is null || catalog.TargetsOf(adapter.Method) is not { } known) yield break;
        var words = string.Join(", ", known.Words);
        foreach (var (index, target) in adapter.Targets.Index())
        {
            if (string.IsNullOrEmpty(target)) continue;   // said by the options themselves
            if (!known.Has(target))
                yield return new($"adapter.targets.{index}", $"must be one of {words}, was '{target}'{known.SentenceFor(target)}");
        }
    }

    private static IEnumerable<RecipeProblem> Twice(Recipe recipe) => Alternatives.Where(pair => pair.AreWritten(recipe))
        .Select(pair => new RecipeProblem(pair.Key, $"cannot be combined with {pair.Other}; give one of them"));

    private static IEnumerable<RecipeProblem> Task(Recipe recipe, LortaCatalog catalog)
    {
        if (TaskOf(recipe, catalog) is not { } chosen) yield break;   // said by the options themselves
        foreach (var (key, _) in TaskKeys.Where(item => item.IsWritten(recipe)))
        {
            var readers = TrainingTasks.All.Where(task => task.Keys.Contains(key)).Select(task => task.Name).ToList();
            if (!chosen.Keys.Contains(key))
                yield return new(key, $"is for {string.Join(", ", readers)}; the task is {recipe.Task}");
        }
    }

    private static TrainingTask? TaskOf(Recipe recipe, LortaCatalog catalog) =>
        catalog.Losses.FirstOrDefault(loss => loss.Name == recipe.Task) is { } loss ? TrainingTasks.Of(loss) : null;

    // An empty path would be the recipe's own folder.
    private static IEnumerable<RecipeProblem> Paths(Recipe recipe)
    {
        (string Key, string? Path)[] paths =
        [
            ("model", recipe.Model), ("tokenizer", recipe.Tokenizer), ("output", recipe.Output), ("adapter.from", recipe.Adapter.From),
            ("data.train", recipe.Data.Train), ("data.validation", recipe.Data.Validation),
        ];
        foreach (var (key, path) in paths)
        {
            if (string.Empty == path) yield return new(key, "must not be empty");
            else if (path?.Contains('\0', StringComparison.Ordinal) == true) yield return new(key, "must not contain a null character");
        }
    }

    private static IEnumerable<RecipeProblem> Data(DataOptions data)
    {
        if (data.Labels?.GroupBy(label => label, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            yield return new("data.labels", $"names '{twice.Key}' twice");
        if (data.Format is not null) yield break;
        foreach (var (key, file) in new[] { ("data.train", data.Train), ("data.validation", data.Validation) })
        {
            if (string.IsNullOrEmpty(file)) continue;   // said of the paths
            if (RowReader.FormatOf(file) is not { } format)
                yield return new("data.format", $"cannot be determined from '{Path.GetFileName(file)}'; name it");
            else if (format == "parquet") yield return new(key, "parquet is not supported yet; convert the file to jsonl, tsv or csv");
        }
    }

    private static IEnumerable<RecipeProblem> Adapter(Recipe recipe, LortaCatalog catalog)
    {
        // ranges, for the schema
        var reported = OptionChecks.Check(recipe.Adapter, catalog, "adapter").Select(problem => problem.Path)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var (key, text) in recipe.Adapter.Problems())
            if (!reported.Contains($"adapter.{key}")) yield return new($"adapter.{key}", text);
    }

    private static IEnumerable<RecipeProblem> Train(Recipe recipe, LortaCatalog catalog)
    {
        var train = recipe.Train;
        foreach (var key in UnreadBy(train.Optimizer))
            yield return new($"train.optimizer.{key}", $"is for {OptimizerRule.AdamW}; the optimizer is {OptimizerRule.Sgd}");
        var evaluates = recipe.Data is { Validation: not null } or { ValidationFraction: not null };
        var fit = train.ToFit(evaluates ? () => [] : null);
        if (train.Samples.Count > 0 && (!evaluates || train.EvaluateEvery == Interval.Never))
            yield return new("train.samples", NeedsEvaluations);
        foreach (var (path, text, _) in fit.Problems(TaskOf(recipe, catalog), NeedsEvaluations))
            yield return new($"train.{path}", text);
    }

    // What has another value than usual was written, and descent would not read it.
    private static IEnumerable<string> UnreadBy(OptimizerOptions optimizer)
    {
        if (optimizer.Name != OptimizerRule.Sgd) yield break;
        var usual = new OptimizerOptions();
        if (!optimizer.Betas.SequenceEqual(usual.Betas)) yield return "betas";
        if (optimizer.Epsilon != usual.Epsilon) yield return "eps";
    }
}
