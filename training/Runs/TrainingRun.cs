using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>What is done with a recipe.</summary>
internal abstract record RecipeRequest
{
    /// <summary>The resolved recipe.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>Families to choose from; null = those of this project.</summary>
    public IReadOnlyList<AdapterFamilyEntry>? Families { get; init; }

    /// <summary>How it is computed, on the recipe's device whichever is given here.</summary>
    public OrtSettings Settings { get => field with { Device = Recipe.Device }; init; } = new();
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
}

/// <summary>What is measured.</summary>
internal sealed record EvaluationRequest : RecipeRequest
{
    /// <summary>An adapter folder; null = the base as it is.</summary>
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
    public static RunResult Train(RunRequest request, IProgress<object> progress, TimeProvider clock, CancellationToken stop)
    {
        var recipe = request.Recipe;
        var folder = new RunFolder(recipe.Output!);
        var inputs = RecipeFiles.Of(recipe, request.RecipePath);
        RunLock.RefuseHeld(folder.Path);
        folder.Check(request.Resume, request.Force, inputs);
        var settings = request.Settings;
        settings.CheckDevice();
        using var task = PreparedTask.Of(recipe, settings, families: request.Families);
        using var held = RunLock.Take(folder.Path, clock);
        folder.Check(request.Resume, request.Force, [.. inputs, .. task.ModelFiles]);   // again: another process may have come first
        var notes = task.Graphs.Findings.Select(finding => $"{finding.Node}: {finding.Reason}").ToList();
        var checkpoints = new RunCheckpoints(new CheckpointStore(folder.Checkpoints, notes.Add), recipe, settings.ThreadCount);
        var resumed = request.Resume ? checkpoints.Resume(task.Runtime) : null;
        stop.ThrowIfCancellationRequested();
        using var shield = StopRequest.Under(CancellationToken.None);   // from here on everything that was computed is saved
        if (resumed is null) folder.Begin();
        var run = resumed ?? new RunState();
        if (request.RecipePath is not { } path || !folder.IsOwnRecipe(path)) RecipeFile.Save(folder.Recipe, recipe);

        using var metrics = MetricsLog.Open(folder.Metrics, run.Step);
        using var log = new TextLog(folder.Log, clock);
        var tracker = new Trackers(metrics, log, new ProgressTracker(progress));
        foreach (var note in notes.Concat(DataNotes(task.Data, recipe))) tracker.Note(note);
        var started = clock.GetTimestamp();
        run = new Trainer(recipe, task.Runtime, task.Data.Train, checkpoints, task.Evaluator, tracker, clock).Run(run, stop);
        if (!stop.IsCancellationRequested) run = Settle(task, checkpoints, run, recipe.Train.KeepBest);
        task.SaveAdapter(folder.Adapter);

        var result = Result(task, run, clock.GetElapsedTime(started).TotalSeconds, folder) with
        {
            Device = settings.Device,
            Provider = settings.Provider,
        };
        var environment = RunEnvironment.Current(
            $"ONNX Runtime {OrtEnvironment.Instance.GetVersionString()}", settings.Device, settings.ThreadCount);
        RunReport.Write(folder.Report, recipe, result, MetricsLog.Read(folder.Metrics), environment);
        return result;
    }

    /// <summary>Measures loss and metrics on the validation data.</summary>
    /// <param name="request">What to measure.</param>
    /// <param name="progress">Told what became of the data's entries.</param>
    /// <exception cref="LortaException">Anything that does not fit.</exception>
    public static EvaluationResult Evaluate(EvaluationRequest request, IProgress<object>? progress = null)
    {
        request.Settings.CheckDevice();
        var recipe = request.Recipe with { Model = request.Model ?? request.Recipe.Model };
        var canonical = request.Canonical ?? CanonicalModel.Of(OnnxModel.Load(recipe.Model));
        var (graph, values) = request.Adapter is { } adapter
            ? Adapted(recipe, UnderstoodModel.Of(canonical).Copy(), Adapter.Load(adapter), request)
            : (EvaluationGraph.Of(canonical, recipe.Task, RecipeMapping.LossOutput(recipe)),
                new Dictionary<string, OnnxTensor>(StringComparer.Ordinal));
        if (PreparedTask.DataOf(recipe, graph).Validation is not { } validation) throw TrainingErrors.NoValidation(recipe.Data.Train);
        progress?.Report(Phrases.Of(validation.Path, validation.Counts, recipe.Data));
        var evaluator = Evaluator.Of(recipe.Task, validation, graph);
        using var runtime = request.Settings.Open(graph, values);
        var record = evaluator.Evaluate(runtime, step: 0);
        return new EvaluationResult(record.Loss, record.Metrics, validation.Count, validation.Counts);
    }

    private static IEnumerable<string> DataNotes((DataStream Train, DataStream? Validation) data, Recipe recipe)
    {
        yield return $"training data: {Phrases.Of(data.Train.Path, data.Train.Counts, recipe.Data)}";
        if (data.Validation is { } validation)
            yield return $"validation data: {Phrases.Of(validation.Path, validation.Counts, recipe.Data)}";
    }

    private static (EvaluationGraph Graph, IReadOnlyDictionary<string, OnnxTensor> Values) Adapted(
        Recipe recipe, UnderstoodModel model, Adapter adapter, EvaluationRequest request)
    {
        var plan = BaseModels.PlanOf(model, adapter, request.AllowOtherBase, request.Families);
        var asTrained = recipe with
        {
            Trainables = [.. adapter.Config.Trainables.Select(name => new TrainablePattern { Match = name })],
            Adapter = adapter.Config.AdapterOptions,
        };
        var options = RecipeMapping.ToOptions(asTrained, adapter.ValuesFor(plan)) with { Families = request.Families };
        return EvaluationGraph.OfAdapted(model, options);
    }

    // What is kept is what is measured: the best state, or the last one where this process (a resumed run) has not evaluated it.
    private static RunState Settle(PreparedTask task, RunCheckpoints checkpoints, RunState run, string? keepBest)
    {
        var kept = keepBest is not null && run.BestStep is { } best ? best : run.Step;
        if (kept != run.Step) checkpoints.Restore(kept, task.Runtime);
        return task.Evaluator is { } evaluator && (kept != run.Step || run.Evaluation is null)
            ? run with { Evaluation = evaluator.Evaluate(task.Runtime, kept) }
            : run;
    }

    private static RunResult Result(PreparedTask task, RunState run, double seconds, RunFolder folder) => new()
    {
        Steps = run.Step,
        Loss = run.Evaluation?.Loss,
        TrainingLoss = run.Loss,
        Data = task.Data.Train.Counts,
        Metrics = run.Evaluation?.Metrics ?? new OrderedDictionary<string, double>(),
        Seconds = seconds,
        SamplesPerSecond = run.Seen.Rows / seconds,
        TokensPerSecond = run.Seen.Tokens / seconds,
        PeakMemoryBytes = SpeedMeter.PeakMemory,
        Trainable = task.Graphs.Trained.Sum(tensor => tensor.Initial.Count),
        Adapter = folder.Adapter,
    };
}

/// <summary>The JSON of <c>lorta evaluate</c>.</summary>
/// <param name="Loss">Mean loss over all labels.</param>
/// <param name="Metrics">The task's metrics.</param>
/// <param name="Samples">Number of rows that were measured.</param>
/// <param name="Data">What became of the validation file's entries.</param>
internal sealed record EvaluationResult(double Loss, IReadOnlyDictionary<string, double> Metrics, int Samples, DataCounts Data);
