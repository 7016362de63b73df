using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>What is done with a recipe.</summary>
internal abstract record RecipeRequest
{
    /// <summary>The resolved recipe.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>How it is computed, on the recipe's device whichever is given here, and what there is to choose from.</summary>
    public OrtEngineOptions Settings { get => field with { Device = Recipe.Device }; init; } = new();

    /// <summary>Families to choose from.</summary>
    public LortaCatalog Catalog => Settings.Catalog;
}

/// <summary>How a run is started.</summary>
internal sealed record RunRequest : RecipeRequest
{
    /// <summary>The file that the recipe was read from; null for one that was made in code.</summary>
    public string? RecipePath { get; init; }

    /// <summary>Whether to continue from the newest checkpoint.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether an existing run may be replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Opens the runtime that trains; null = plain ONNX Runtime.</summary>
    public OpenTrainingRuntime? Open { get; init; }

    /// <summary>Writes the page <c>report.html</c> from what <c>report.md</c> is made of; null = there is none.</summary>
    public Action<string, RunRecord>? Report { get; init; }
}

/// <summary>What is measured.</summary>
internal sealed record EvaluationRequest : RecipeRequest
{
    /// <summary>What holds an adapter, as <see cref="StoredAdapters"/> opens it; null = the base as it is.</summary>
    public string? Adapter { get; init; }

    /// <summary>Another model file, for instance the folded one.</summary>
    public string? Model { get; init; }

    /// <summary>The training copy of the model where there is one already; null = made from the file.</summary>
    public CanonicalModel? Canonical { get; init; }

    /// <summary>Whether the adapter may have been trained on other weights.</summary>
    public bool AllowOtherBase { get; init; }
}

/// <summary>A recipe put to work: model, data, runtime, trainer, and the files of the run.</summary>
internal static class TrainingRun
{
    /// <summary>Trains.</summary>
    /// <param name="request">What to train.</param>
    /// <param name="progress">Shown while it is in progress.</param>
    /// <param name="clock">Clock for speeds and logs.</param>
    /// <param name="stop">Stops after the current step, with everything saved.</param>
    /// <exception cref="LortaException">Anything that does not fit, before the first file is written; a loss that is no number.</exception>
    public static TrainingReport Train(RunRequest request, IProgress<object> progress, TimeProvider clock, CancellationToken stop)
    {
        var from = request.Recipe.Adapter.From is { } start ? StoredAdapters.Load(start, request.Catalog) : null;
        var recipe = from is null ? request.Recipe : ContinuedAdapter.In(request, from);
        var folder = new RunFolder(recipe.Output!);
        var inputs = RecipeFiles.Of(recipe, request.RecipePath, request.Catalog);
        RunLock.RefuseHeld(folder.Path);
        folder.Check(request.Resume, request.Force, inputs);
        var settings = request.Settings;
        settings.CheckDevice();
        using var task = PreparedTask.Of(recipe, settings, from: from, clock: clock, open: request.Open);
        using var held = RunLock.Take(folder.Path, clock);
        folder.Check(request.Resume, request.Force, [.. inputs, .. task.ModelFiles]);   // again: another process may have come first
        var notes = task.Graphs.Findings.Select(finding => $"{finding.Node}: {finding.Reason}").ToList();
        var checkpoints = new RunCheckpoints(new CheckpointStore(folder.Checkpoints, notes.Add), recipe, settings.ThreadCount);
        var resumed = request.Resume ? checkpoints.Resume(task.Runtime) : null;
        stop.ThrowIfCancellationRequested();
        using var shield = StopRequest.Under(CancellationToken.None);   // from here on everything that was computed is saved
        if (resumed is null) folder.Begin(request.RecipePath);
        var run = resumed ?? new RunState();
        var isExtended = run.ExtendedAt == run.Step && resumed is not null;
        if (resumed is null || isExtended || request.RecipePath is not { } path || !folder.IsOwnRecipe(path))
            RecipeFile.Save(folder.Recipe, recipe);

        using var tracker = new RunTrackers(folder, recipe, run.Step, progress, clock);
        IReadOnlyList<string> overview = [.. RunOverview.Of(task, recipe)];
        var began = request.Resume ? RunOverview.Of(run, task.Plan, isExtended, folder) : [];
        string[] beginning = [.. notes, .. overview, .. began, .. task.Warnings.Select(Warning)];
        foreach (var note in beginning) tracker.Note(note);
        var loop = new TrainingLoop(task.Trainer, task.Options, task.Plan, checkpoints, run);
        Follow(loop.Run(task.Data.Train.From(run.Position).Prefetch(2), stop), tracker, SampleTexts.Of(recipe, task), task.Runtime);
        task.SaveAdapter(folder.Adapter, loop.State.Evaluation);
        var report = loop.Report() with { Data = task.Data.Train.Counts, Adapter = folder.Adapter };
        var ending = RunEnding.Of(report, loop.State, task.Plan, folder, settings);
        var record = Record(task, recipe, folder, report, settings) with
        {
            Overview = overview,
            Ending = ending.Sentence,
            ToContinue = ending.Command,
        };
        foreach (var note in EndOf(record).Except(beginning)) tracker.Note(note);
        WriteReports(folder, record, request.Report);
        return record.Result;
    }

    private static void Follow(IEnumerable<TrainingEvent> run, RunTrackers trackers, SampleTexts? samples, IForwardRuntime runtime)
    {
        foreach (var happened in run)
        {
            trackers.Take(happened);
            if (happened is not EvaluationEvent { Step: var step }) continue;
            foreach (var text in samples?.Write(runtime) ?? [])
                trackers.Note($"sample after step {step}: {text.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>Measures loss and metrics on the validation data.</summary>
    /// <param name="request">What to measure.</param>
    /// <param name="progress">Told what became of the data's entries.</param>
    /// <param name="work">Told how far it is.</param>
    /// <exception cref="LortaException">Anything that does not fit.</exception>
    public static EvaluationResult Evaluate(
        EvaluationRequest request, IProgress<object>? progress = null, IProgress<WorkProgress>? work = null)
    {
        request.Settings.CheckDevice();
        work?.Report(WorkProgress.Uncounted("reading model and data"));
        var (recipe, graph, values, warning) = Measured(request);
        if (warning is not null) progress?.Report(Warning(warning));
        if (PreparedTask.DataOf(recipe, graph).Validation is not { } validation) throw TrainingErrors.NoValidation(recipe.Data.Train);
        progress?.Report(Phrases.Of(validation.Path, validation.Counts, recipe.Data.Packing));
        var evaluator = Evaluator.Of(graph);
        using var runtime = request.Settings.Open(graph, values);
        var record = evaluator.Evaluate(runtime, validation.InOrder().Prefetch(2), step: 0, work, validation.Count);
        return new EvaluationResult(record.Loss, record.Metrics, validation.Count, validation.Counts);
    }

    /// <summary>What a request measures: its recipe with the model in question, the graph, the values of its inputs for factors and
    /// trained parameters, and what in the recipe is probably not intended.</summary>
    /// <exception cref="LortaException">The model has not the outputs of the task, or the adapter does not fit it; LRT636: it
    /// was trained with other classes than the recipe names.</exception>
    public static (Recipe Recipe, EvaluationGraph Graph, IReadOnlyDictionary<string, OnnxTensor> Values, string? Warning) Measured(
        EvaluationRequest request)
    {
        var recipe = request.Recipe with { Model = request.Model ?? request.Recipe.Model };
        var canonical = request.Canonical ?? CanonicalModel.Of(OnnxModel.Load(recipe.Model));
        var warning = RowLength.Check(recipe, canonical.Deployed);
        if (request.Adapter is null)
        {
            var graph = EvaluationGraph.Of(canonical, recipe.Task, RecipeMapping.LossOutput(recipe), request.Catalog);
            return (recipe, graph, new Dictionary<string, OnnxTensor>(StringComparer.Ordinal), warning);
        }
        var adapter = StoredAdapters.Load(request.Adapter, request.Catalog);
        if (recipe.Classes() is { } classes && adapter.Config.Labels is { Count: > 0 } learned && !classes.SequenceEqual(learned))
            throw TrainingErrors.OtherLabels(request.Adapter, learned, classes);
        var (adapted, values) = Adapted(recipe, UnderstoodModel.Of(canonical).Copy(), adapter, request);
        return (recipe, adapted, values, warning);
    }

    private static (EvaluationGraph Graph, IReadOnlyDictionary<string, OnnxTensor> Values) Adapted(
        Recipe recipe, UnderstoodModel model, Adapter adapter, EvaluationRequest request)
    {
        var plan = BaseModels.PlanOf(model, adapter, request.AllowOtherBase, request.Catalog);
        var asTrained = recipe with
        {
            Trainables = [.. adapter.Config.Trainables.Select(name => new TrainablePattern { Match = name })],
            Adapter = adapter.Config.AdapterOptions,
        };
        var options = RecipeMapping.ToOptions(asTrained, adapter.ValuesFor(plan));
        return EvaluationGraph.OfAdapted(model, options, request.Catalog);
    }

    private static void WriteReports(RunFolder folder, RunRecord record, Action<string, RunRecord>? page)
    {
        RunReport.Write(folder.Report, record);
        if (record.Recipe.Tracking.Contains(Recipe.Csv)) MetricsTable.Write(folder.Table, record.Lines);
        page?.Invoke(folder.Page, record);
    }

    /// <summary>A sentence that a user is to notice.</summary>
    public static string Warning(string text) => $"Warning: {text}";

    private static IEnumerable<string> EndOf(RunRecord record) =>
        record.Result.Warnings.Select(Warning).Concat(record.Ending is { } ending ? [WithCommand(ending, record.ToContinue)] : []);

    // Displays leave lines that are indented whole.
    private static string WithCommand(string sentence, string? command) => command is null ? sentence : $"{sentence}\n  {command}";

    /// <summary>What is wrong with a result although all steps were made.</summary>
    /// <param name="result">The result.</param>
    /// <param name="start">The validation loss before the first step; null where nothing was measured.</param>
    /// <param name="validation">What was measured.</param>
    internal static IEnumerable<string> Warnings(TrainingReport result, double? start, IReadOnlyList<Sample> validation)
    {
        var areOfSeveralClasses = validation.Select(sample => sample.Label).Distinct().Skip(1).Any();
        if (areOfSeveralClasses && result.Metrics.GetValueOrDefault(ClassificationMetrics.MatthewsName, double.NaN) == 0)
            yield return "All validation rows got the same class, or classes that have nothing to do with their labels (Matthews "
                + "correlation 0). A head that starts untrained needs more steps; otherwise try another learning rate.";
        if (result.Loss is { } loss && start is { } before && loss > before)
            yield return $"The validation loss {Phrases.Number(loss)} is above that before the first step, {Phrases.Number(before)}. "
                + "Unless another metric has improved, try another learning rate.";
    }

    private static RunRecord Record(PreparedTask task, Recipe recipe, RunFolder folder, TrainingReport result, OrtEngineOptions settings)
    {
        var lines = MetricsLog.Read(folder.Metrics);
        var start = lines.Select(line => line.EvaluationEvent).FirstOrDefault(evaluation => evaluation?.Step == 0)?.Loss;
        var isFresh = recipe.Adapter.From is null;
        return new RunRecord(recipe, lines, Overview: [])
        {
            Result = result with
            {
                BaseLoss = isFresh ? start : null,
                StartLoss = isFresh ? null : start,
                Warnings = [.. task.Warnings, .. Warnings(result, start, task.Data.Validation?.Samples ?? [])],
            },
            Environment = RunEnvironment.Current(
                $"ONNX Runtime {OrtEnvironment.Instance.GetVersionString()}", settings.Device, settings.ThreadCount),
            Adapter = RunOverview.Adapter(task.Graphs.Plan),
            Folds = FoldGraph.IsPossible(task.Graphs.Plan),
        };
    }
}

/// <summary>The JSON of <c>lorta evaluate</c>.</summary>
/// <param name="Loss">Mean loss over all labels.</param>
/// <param name="Metrics">The task's metrics.</param>
/// <param name="Samples">Number of rows that were measured.</param>
/// <param name="Data">What became of the validation file's entries.</param>
internal sealed record EvaluationResult(double Loss, IReadOnlyDictionary<string, double> Metrics, int Samples, DataCounts Data);
