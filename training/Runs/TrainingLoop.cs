using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Schedules;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The training loop: steps, evaluations in between, states that are kept.</summary>
/// <param name="trainer">What computes.</param>
/// <param name="options">What happens when.</param>
/// <param name="plan">How many steps there are.</param>
/// <param name="store">Where states are kept.</param>
/// <param name="start">Where the run stands.</param>
internal sealed class TrainingLoop(AdapterTrainer trainer, FitOptions options, RunPlan plan, IRunStore store, RunState start)
{
    private readonly ITrainingRuntime _runtime = trainer.Planned(plan.Steps);
    private readonly LearningRateSchedule _schedule = new(options.Schedule, plan.Steps);
    private readonly SpeedMeter _meter = new(trainer.Clock, plan, start.Step);
    private readonly long _started = trainer.Clock.GetTimestamp();
    private readonly int _groupsToSkip = start.Position == default ? (int)start.Step : 0;   // without a position, what was learned from
    private double? _startLoss;

    /// <summary>Where the run stands.</summary>
    public RunState State { get; private set; } = start;

    /// <summary>Whether it was asked to end before its last step.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Trains until the plan's last step, an early stop, or <paramref name="stop"/>, and leaves the runtime at the state to be
    /// kept. Everything is saved then, also after <paramref name="stop"/>.</summary>
    /// <param name="batches">The batches from the state's position on, without end.</param>
    /// <param name="stop">Ends after the current step.</param>
    public IEnumerable<TrainingEvent> Run(IEnumerable<Batch> batches, CancellationToken stop)
    {
        foreach (var measured in Begin()) yield return measured;
        if (!plan.IsDone(State))   // a resumed run may be complete: then no batch is asked for
        {
            foreach (var group in plan.Groups(batches).Skip(_groupsToSkip))
            {
                if (stop.IsCancellationRequested) break;
                foreach (var happened in Step(group)) yield return happened;
                if (plan.IsDone(State)) break;   // before another batch is asked for
            }
        }
        End(stop.IsCancellationRequested);
    }

    /// <inheritdoc cref="Run"/>
    /// <remarks>While it waits for a batch, <paramref name="stop"/> ends that too.</remarks>
    public async IAsyncEnumerable<TrainingEvent> RunAsync(IAsyncEnumerable<Batch> batches,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var measured in Begin()) yield return measured;
        if (!plan.IsDone(State))
        {
            await using var groups = plan.Groups(batches).Skip(_groupsToSkip).GetAsyncEnumerator(stop);
            while (!plan.IsDone(State) && !stop.IsCancellationRequested && await HasNext(groups, stop).ConfigureAwait(false))
                foreach (var happened in Step(groups.Current)) yield return happened;
        }
        End(stop.IsCancellationRequested);
    }

    /// <summary>What the run has come to.</summary>
    public TrainingReport Report()
    {
        var seconds = trainer.Clock.GetElapsedTime(_started).TotalSeconds;
        var settings = trainer.Engine.Options;
        return new TrainingReport
        {
            Ending = IsStopped ? TrainingEnding.Stopped
                : State.Step < plan.Steps ? TrainingEnding.EarlyStopped
                : TrainingEnding.Completed,
            Steps = State.Step,
            PlannedSteps = plan.Steps,
            ExtendedAt = State.ExtendedAt,
            Loss = State.Evaluation?.Loss,
            LossStep = State.Evaluation?.Step,
            TrainingLoss = double.IsNaN(State.Loss) ? null : State.Loss,
            Metrics = State.Evaluation?.Metrics ?? new OrderedDictionary<string, double>(),
            Seconds = seconds,
            SamplesPerSecond = _meter.Total.SamplesPerSecond,
            TokensPerSecond = _meter.Total.TokensPerSecond,
            PeakMemoryBytes = SpeedMeter.PeakMemory,
            Trainable = trainer.Graphs.Trained.Sum(tensor => tensor.Initial.Count),
            Device = settings.Device,
            Provider = settings.Provider,
        }.WithLossBefore(_startLoss, trainer.IsFresh);
    }

    private static async Task<bool> HasNext(IAsyncEnumerator<IReadOnlyList<Batch>> groups, CancellationToken stop)
    {
        try
        {
            return await groups.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }
    }

    // What training is compared with: a fresh adapter computes what the base computes, one that is continued what it had learned. It
    // is never the best state.
    private IEnumerable<TrainingEvent> Begin()
    {
        if (State.Step > 0 || !plan.EvaluatesOnTheWay || options.Validation is null) yield break;
        var measured = Measured(step: 0);
        _startLoss = measured.Loss;
        yield return measured;
        _meter.Evaluated();
    }

    private IEnumerable<TrainingEvent> Step(IReadOnlyList<Batch> group)
    {
        var made = trainer.StepOn(group, _schedule.At(State.Step + 1));
        State = State.Next(group, made.Loss);
        yield return _meter.Measure(State, made);
        if (options.Validation is not null && (plan.Evaluates(State) || plan.IsDone(State)))
        {
            var measured = Measured(State.Step);
            yield return measured;
            _meter.Evaluated();
            State = State.Judge(measured, State.Step >= _runtime.FirstFinalStep ? Watched : null, trainer.Task);
        }
        if (plan.Saves(State) || State.BestStep == State.Step) store.Save(State, _runtime);
    }

    private void End(bool isStopRequested)
    {
        store.Save(State, _runtime);
        IsStopped = isStopRequested && !plan.IsDone(State);
        if (!IsStopped) RestoreBest();
    }

    // What is kept is what is measured: the best state, or the last one where this process (a resumed run) has not evaluated it.
    private void RestoreBest()
    {
        var kept = options.KeepBest is not null && State.BestStep is { } best ? best : State.Step;
        if (kept != State.Step) store.Restore(kept, _runtime);
        if (options.Validation is not null && (kept != State.Step || State.Evaluation is null))
            State = State with { Evaluation = Measured(kept) };
    }

    private string? Watched => options.KeepBest ?? options.EarlyStop?.Metric;

    private EvaluationEvent Measured(long step) => trainer.Evaluator.Evaluate(_runtime, options.Validation!(), step);
}
