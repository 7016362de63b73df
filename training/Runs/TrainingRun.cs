using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>A recipe put to work: model, data, runtime, trainer, and the files of the run.</summary>
internal static class TrainingRun
{
    /// <inheritdoc cref="RecipeRuns.Train"/>
    public static TrainingReport Train(
        Recipe given, OrtEngine engine, RecipeRunOptions options, IProgress<TrainingEvent>? progress, CancellationToken stop)
    {
        var (settings, clock, catalog) = (engine.Options, engine.Options.Clock, engine.Catalog);
        var from = given.Adapter.From is { } start ? StoredAdapters.Load(start, catalog) : null;
        var recipe = given.Resolved() with { Device = settings.Device };
        if (from is not null) recipe = ContinuedAdapter.In(recipe, from, options.RecipePath, catalog);
        var folder = new RunFolder(recipe.Output!);
        var inputs = RecipeFiles.Of(recipe, options.RecipePath, catalog);
        RunLock.RefuseInUse(folder.Path);
        folder.Check(options.Resume, options.Force, inputs);
        using var task = PreparedTask.Of(recipe, engine, from: from, open: options.Open ?? TrainingRuntimes.Named(options.Runtime));
        using var held = RunLock.Take(folder.Path, clock);
        folder.Check(options.Resume, options.Force, [.. inputs, .. task.ModelFiles]);   // again: another process may have come first
        var notes = task.Graphs.Findings.Select(finding => $"{finding.Node}: {finding.Reason}").ToList();
        var checkpoints = new RunCheckpoints(new CheckpointStore(folder.Checkpoints, notes.Add), recipe, settings.ThreadCount);
        var resumed = options.Resume ? checkpoints.Resume(task.Runtime) : null;
        stop.ThrowIfCancellationRequested();
        using var shield = StopRequest.Under(CancellationToken.None);   // from here on everything that was computed is saved
        if (resumed is null) folder.Begin(options.RecipePath);
        var run = resumed ?? new RunState();
        var isExtended = run.ExtendedAt == run.Step && resumed is not null;
        if (resumed is null || isExtended || options.RecipePath is not { } path || !folder.IsOwnRecipe(path))
            RecipeFile.Save(folder.Recipe, recipe);

        using var tracker = new RunTrackers(folder, recipe, run.Step, progress, clock);
        IReadOnlyList<string> overview = [.. RunOverview.Of(task, recipe)];
        var began = options.Resume ? RunOverview.Of(run, task.Plan, isExtended, folder) : [];
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
        WriteReports(folder, record, options.Page);
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

    /// <inheritdoc cref="RecipeRuns.Evaluate"/>
    public static EvaluationReport Evaluate(
        Recipe given, OrtEngine engine, EvaluationOptions options, IProgress<TrainingEvent>? progress)
    {
        progress?.Report(WorkEvent.Uncounted("reading model and data"));
        var (recipe, graph, values, warnings) = Measured(given, options, engine.Catalog);
        var context = DataContext.Of(recipe, graph);
        foreach (var warning in warnings.Append(context.TokenizerWarning).OfType<string>())
            progress?.Report(new NoteEvent(Warning(warning)));
        if (new DataSource(context).Load().Validation is not { } validation) throw TrainingErrors.NoValidation(recipe.Data.Train);
        progress?.Report(new NoteEvent(Phrases.Of(validation.Path, validation.Counts, recipe.Data.Packing)));
        var evaluator = Evaluator.Of(graph);
        using var runtime = engine.Options.Open(graph, values);
        var record = evaluator.Evaluate(
            runtime, validation.InOrder().Prefetch(2), step: 0, progress is null ? null : new WorkReports(progress), validation.Count);
        return new EvaluationReport(record.Loss, record.Metrics, validation.Count, validation.Counts);
    }

    /// <summary>What is measured: the recipe with the model in question, the graph, the values of its inputs for factors and trained
    /// parameters, and what in the recipe is probably not intended.</summary>
    /// <exception cref="LortaException">The model has not the outputs of the task, or the adapter does not fit it; LRT636: it
    /// was trained with other classes than the recipe names.</exception>
    public static (Recipe Recipe, EvaluationGraph Graph, IReadOnlyDictionary<string, OnnxTensor> Values, IReadOnlyList<string> Warnings)
        Measured(Recipe given, EvaluationOptions options, LortaCatalog catalog)
    {
        var resolved = given.Resolved();
        var recipe = resolved with { Model = options.Model ?? resolved.Model };
        var canonical = options.Canonical ?? CanonicalModel.Of(OnnxModel.Load(recipe.Model));
        var warnings = WarningsOf(recipe, canonical);
        if (options.Adapter is null)
        {
            var graph = EvaluationGraph.Of(canonical, recipe.Task, RecipeMapping.LossOutput(recipe), catalog);
            return (recipe, graph, new Dictionary<string, OnnxTensor>(StringComparer.Ordinal), warnings);
        }
        var adapter = StoredAdapters.Load(options.Adapter, catalog);
        if (recipe.Classes() is { } classes && adapter.Config.Labels is { Count: > 0 } learned && !classes.SequenceEqual(learned))
            throw TrainingErrors.OtherLabels(options.Adapter, learned, classes);
        var model = UnderstoodModel.Of(canonical).Copy();
        var plan = BaseModels.PlanOf(model, adapter, options.AllowOtherBase, catalog);
        var asTrained = recipe with
        {
            Trainables = [.. adapter.Config.Trainables.Select(name => new TrainablePattern { Match = name })],
            Adapter = adapter.Config.AdapterOptions,
        };
        var (adapted, values) = EvaluationGraph.OfAdapted(model, RecipeMapping.ToOptions(asTrained, adapter.ValuesFor(plan)), catalog);
        return (recipe, adapted, values, warnings);
    }

    /// <summary>What in a recipe does probably not fit its model.</summary>
    /// <exception cref="LortaException">LRT519: rows longer than what the model reads.</exception>
    public static IReadOnlyList<string> WarningsOf(Recipe recipe, CanonicalModel model)
    {
        string?[] warnings = [RowLength.Check(recipe, model.Deployed), Foresight(recipe.Task, model)];
        return [.. warnings.OfType<string>()];
    }

    // What is to be predicted must not be read.
    private static string? Foresight(string task, CanonicalModel model) =>
        task == CausalLmTask.Definition.Name && SuitableTasks.SeesAhead(model)
            ? "The model's attention sees the tokens after each token, which causal-lm is to predict: "
                + "a masked language model is trained with the task masked-lm."
            : null;

    private static void WriteReports(RunFolder folder, RunRecord record, Func<RunRecord, string>? page)
    {
        RunReport.Write(folder.Report, record);
        if (record.Recipe.Tracking.Contains(Recipe.Csv)) MetricsTable.Write(folder.Table, record.Lines);
        if (page is not null) AtomicFile.WriteText(folder.Page, page(record));
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
        return new RunRecord(recipe, Overview: [])
        {
            Lines = lines,
            Result = result.WithLossBefore(start, task.Trainer.IsFresh) with
            {
                Warnings = [.. task.Warnings, .. Warnings(result, start, task.Data.Validation?.Samples ?? [])],
            },
            Environment = RunEnvironment.Current(
                $"ONNX Runtime {OrtEnvironment.Instance.GetVersionString()}", settings.Device, settings.ThreadCount),
            Adapter = RunOverview.Adapter(task.Graphs.Plan),
            Folds = FoldGraph.IsPossible(task.Graphs.Plan),
        };
    }
}
