using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Keeps states of a run and brings them back.</summary>
internal interface IRunStore
{
    /// <summary>Keeps the state after a step.</summary>
    void Save(RunState run, ITrainingRuntime runtime);

    /// <summary>Brings the runtime to the newest state of an earlier run; null where there is none.</summary>
    RunState? Resume(ITrainingRuntime runtime);

    /// <summary>Brings the runtime to the state of an earlier step of this run, one that was the best.</summary>
    void Restore(long step, ITrainingRuntime runtime);
}

/// <summary>Keeps the best state of a run without files.</summary>
internal sealed class BestInMemory : IRunStore
{
    private TrainingState? _best;

    /// <inheritdoc/>
    public void Save(RunState run, ITrainingRuntime runtime)
    {
        if (run.BestStep == run.Step) _best = runtime.State;
    }

    /// <inheritdoc/>
    public RunState? Resume(ITrainingRuntime runtime) => null;

    /// <inheritdoc/>
    public void Restore(long step, ITrainingRuntime runtime)
    {
        if (_best?.Step != step) throw new InvalidOperationException($"The state of step {step} was not kept.");
        runtime.State = _best;
    }
}

/// <summary>Keeps a run's state in checkpoints and brings it back.</summary>
/// <param name="store">The files.</param>
/// <param name="recipe">The recipe that they belong to.</param>
/// <param name="threads">Threads of the runtime.</param>
internal sealed class RunCheckpoints(CheckpointStore store, Recipe recipe, int threads) : IRunStore
{
    private const string Waited = "waited";
    private const string Loss = "loss";
    private const string ExtendedAt = "extendedAt";

    private readonly RecipeIdentity _identity = RecipeIdentity.Of(recipe);

    /// <inheritdoc/>
    public void Save(RunState run, ITrainingRuntime runtime)
    {
        var numbers = new SortedDictionary<string, double>(StringComparer.Ordinal) { [Waited] = run.Waited };
        if (!double.IsNaN(run.Loss)) numbers[Loss] = run.Loss;
        if (run.ExtendedAt is { } step) numbers[ExtendedAt] = step;
        store.Save(new Checkpoint
        {
            Step = run.Step,
            Position = run.Position,
            State = runtime.State.Tensors,
            Seed = recipe.Seed,
            Recipe = _identity,
            Threads = threads,
            BestMetric = run.Best,
            BestStep = run.BestStep,
            Numbers = numbers,
        });
    }

    /// <summary>Brings the runtime to the newest whole checkpoint; null where there is none. A run that is made longer begins to wait for
    /// a better evaluation anew.</summary>
    /// <exception cref="LoRTA.Onnx.GraphGen.LortaException">LRT561, LRT562: it belongs to another run.</exception>
    public RunState? Resume(ITrainingRuntime runtime)
    {
        if (store.Resume(_identity, threads) is not { } checkpoint) return null;
        var isExtended = checkpoint.Recipe != _identity;
        Put(checkpoint, runtime);
        return new RunState
        {
            Step = checkpoint.Step,
            Position = checkpoint.Position,
            Best = checkpoint.BestMetric,
            BestStep = checkpoint.BestStep,
            Waited = isExtended ? 0 : (int)checkpoint.Numbers.GetValueOrDefault(Waited),
            Loss = checkpoint.Numbers.GetValueOrDefault(Loss, double.NaN),
            ExtendedAt = isExtended ? checkpoint.Step
                : checkpoint.Numbers.TryGetValue(ExtendedAt, out var step) ? (long)step : null,
        };
    }

    /// <inheritdoc/>
    public void Restore(long step, ITrainingRuntime runtime) => Put(store.At(step), runtime);

    private void Put(Checkpoint checkpoint, ITrainingRuntime runtime)
    {
        var state = new TrainingState(checkpoint.Step, checkpoint.State);
        if (state.DifferenceFrom(runtime.State) is { } difference)
            throw CheckpointErrors.OtherModel(store.PathOf(checkpoint.Step), difference);
        runtime.State = state;
    }
}
