using System.Globalization;
using LoRTA.Onnx.Training.Checkpoints;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The runs of a trainer: where each starts, and where its states are kept.</summary>
/// <param name="trainer">The trainer.</param>
internal sealed class TrainerRuns(AdapterTrainer trainer)
{
    private (FitOptions Options, TrainingLoop Loop, IRunStore Store)? _last;

    /// <summary>Takes the folder of a run; null where it has none.</summary>
    /// <exception cref="GraphGen.LortaException">LRT625: another process has it.</exception>
    public RunLock? Lock(FitOptions options) => options.Folder is { } folder ? RunLock.Take(folder, trainer.Clock) : null;

    /// <summary>Lets the next run begin anew, also where it has the options of the last one: the trainer holds another state.</summary>
    public void Forget() => _last = null;

    /// <summary>Begins a run, or continues: that of a folder, or the last one where nothing else happened since.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="batches">Batches of one pass over the data; null = not known.</param>
    public TrainingLoop Begin(FitOptions options, int? batches)
    {
        options.Validate(trainer.Task, trainer.Engine.Catalog);
        var plan = RunPlan.Of(options, batches);
        var runtime = trainer.Planned(plan.Steps);
        var isContinued = _last is { } last && last.Options == options && last.Loop.State.Step == runtime.StepCount && !options.Resume;
        var store = isContinued ? _last!.Value.Store : StoreOf(options);
        var start = isContinued ? _last!.Value.Loop.State
            : (options.Resume ? store.Resume(runtime) : null) ?? new RunState { Step = runtime.StepCount };
        if (start.Step >= plan.Steps && !options.Resume)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"The trainer has made {start.Step} steps, and the run has {plan.Steps}: state more, or set State to one of step 0."));
        if (options is { Resume: true, Folder: { } folder } && start.Step > 0) TrainerLog.Resumed(trainer.Engine.Log, folder, start.Step);
        var loop = new TrainingLoop(trainer, options, plan, store, start);
        _last = (options, loop, store);
        return loop;
    }

    private IRunStore StoreOf(FitOptions options)
    {
        if (options.Folder is not { } folder) return new BestInMemory();
        var checkpoints = new CheckpointStore(Path.Join(folder, "checkpoints"), note => TrainerLog.Noted(trainer.Engine.Log, note));
        if (!options.Resume && checkpoints.HasAny) throw CheckpointErrors.OfAnotherRun(folder);
        return new RunCheckpoints(checkpoints, RecipeMapping.ToRecipe(trainer.Options, options), trainer.Engine.Options.ThreadCount);
    }
}
