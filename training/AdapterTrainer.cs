using System.Collections.ObjectModel;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training;

/// <summary>Trains an adapter on a model: single steps, whole runs, evaluations.</summary>
/// <remarks>
/// <para>One thread at a time: a call that comes while another is at work throws <see cref="InvalidOperationException"/>.</para>
/// <para>The same options, seed, batches and number of threads give the same bytes on the CPU; on CUDA, sums are added in any order.</para>
/// </remarks>
public sealed class AdapterTrainer : IDisposable
{
    private readonly ITrainingRuntime _sessionRuntime;
    private readonly CurrentScores _scores;
    private readonly TrainerRuns _runs;
    private readonly Turns _turns = new(typeof(AdapterTrainer));
    private long? _plannedSteps;
    private TrainingState? _given;

    /// <summary>Opens a model for training.</summary>
    /// <param name="engine">Where to compute.</param>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="options">What is trained.</param>
    /// <exception cref="LortaException">LRT2xx to LRT4xx: the model is not understood, options do not fit it, or an operator has no
    /// gradient.</exception>
    public AdapterTrainer(OrtEngine engine, OnnxModel model, TrainingOptions options)
        : this(engine, options, TrainingGraphs.Build(model, options, engine.Catalog))
    {
        foreach (var finding in Graphs.Findings) TrainerLog.Found(engine.Log, finding.Node, finding.Reason);
    }

    /// <summary>Opens graphs that were made already.</summary>
    internal AdapterTrainer(OrtEngine engine, TrainingOptions options, TrainingGraphs graphs, OpenTrainingRuntime? open = null)
    {
        (Engine, Options, Graphs) = (engine, options, graphs);
        engine.ThrowIfDisposed();
        _scores = new CurrentScores(graphs, engine.Options);   // before scores give way to the likeliest
        _runs = new TrainerRuns(this);
        Evaluator = Evaluator.Of(graphs.Evaluation);
        var dropout = options.Adapter.Dropout > 0 ? new DropoutMasks(options.Seed, options.Adapter.Dropout) : null;
        _sessionRuntime = (open ?? TrainingRuntimes.OrtSession)(graphs, engine.Options, dropout);
        Runtime = _sessionRuntime;
    }

    /// <summary>The graphs, and the tensors that training changes.</summary>
    public TrainingGraphs Graphs { get; }

    /// <summary>Trained tensors, the optimizer's state and the step count; setting it continues from there.</summary>
    /// <exception cref="ArgumentException">A tensor is missing, or has another type or shape.</exception>
    public TrainingState State
    {
        get
        {
            using var turn = _turns.Take();
            return Runtime.State;
        }
        set
        {
            using var turn = _turns.Take();
            RefuseIncomplete(value);
            _given = value;   // what the family keeps has no place before a run is planned
            _runs.Forget();
            Runtime.ClearGradients();
            Runtime.State = value;
        }
    }

    internal TrainingTask Task => TrainingTasks.Of(Loss);

    internal Evaluator Evaluator { get; }

    internal OrtEngine Engine { get; }

    internal TrainingOptions Options { get; }

    internal ITrainingRuntime Runtime { get; private set; }

    internal TimeProvider Clock => Engine.Options.Clock;

    /// <summary>Whether factors start at their initial values, not at those of an adapter.</summary>
    internal bool IsFresh => Options.Values.Count == 0;

    private ILoss Loss => Graphs.Batches.Loss!;

    private long NextStep => Runtime.StepCount + 1;

    /// <summary>Makes one optimizer step, at the peak learning rate.</summary>
    /// <param name="microBatches">The batches of the step; each counts by its number of labels.</param>
    /// <exception cref="LortaException">LRT6xx: the loss or the gradient is no finite number.</exception>
    /// <exception cref="InvalidOperationException">The family allocates ranks over a number of steps: use <see cref="Steps"/> or
    /// <see cref="Fit"/>.</exception>
    public StepEvent Step(params ReadOnlySpan<Batch> microBatches)
    {
        Batch[] group = [.. microBatches];
        if (group.Length == 0) throw new ArgumentException("A step needs at least one batch.", nameof(microBatches));
        using var turn = _turns.Take();
        RefuseWithoutPlan();
        var started = Clock.GetTimestamp();
        var made = StepOn(group, learningRateFactor: 1);
        var step = Runtime.StepCount;
        return made.ToEvent(step, _plannedSteps ?? step, Clock.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>The first half of a step in a loop of one's own: adds a batch's gradients to the sum.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="share">Its share of the step's loss; the shares of a step add up to 1.</param>
    /// <returns>share · mean loss of the batch.</returns>
    public double Accumulate(Batch batch, double share)
    {
        using var turn = _turns.Take();
        return Runtime.Accumulate(batch, share);
    }

    /// <summary>The second half: clips the sum of gradients, moves every trained tensor, and starts the next sum at zero.</summary>
    /// <param name="learningRateFactor">What every learning rate is multiplied by in this step.</param>
    /// <returns>The joint norm of the gradients before clipping; null where the runtime does not tell.</returns>
    public double? Update(double learningRateFactor = 1)
    {
        using var turn = _turns.Take();
        RefuseWithoutPlan();
        return Runtime.Step(learningRateFactor);
    }

    /// <summary>A run as a sequence: each element asked for takes the run further. It ends at its last step, at an early stop, or after
    /// the step at which <paramref name="stop"/> is cancelled; then the state is saved, and the trainer holds the state that is
    /// kept.</summary>
    /// <remarks>A trainer that has made steps already continues after them: the batches of these steps are passed over. Leaving the
    /// sequence early keeps what was saved so far; cancel <paramref name="stop"/> instead to have the last state saved too.</remarks>
    /// <param name="batches">The batches of one pass, in order; enumerated once for each pass, and once more where their number must be
    /// known and they do not tell.</param>
    /// <param name="options">Length, schedule, evaluations, files.</param>
    /// <param name="stop">Ends the run after the current step.</param>
    /// <exception cref="ArgumentException">Options that do not fit, or no batches.</exception>
    /// <exception cref="LortaException">LRT561, LRT562: the folder's checkpoints belong to another run; LRT6xx: the loss or the gradient
    /// is no finite number.</exception>
    public IEnumerable<TrainingEvent> Steps(IEnumerable<Batch> batches, FitOptions options, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        return _turns.InTurns(Run());

        IEnumerable<TrainingEvent> Run()
        {
            using var held = _runs.Lock(options);
            var loop = _runs.Begin(options, CountOf(batches, options));
            foreach (var happened in loop.Run(batches.From(loop.State.Position), stop)) yield return happened;
        }
    }

    /// <summary>Makes a whole run.</summary>
    /// <param name="batches">See <see cref="Steps"/>.</param>
    /// <param name="options">See <see cref="Steps"/>.</param>
    /// <param name="progress">Told of each step and evaluation.</param>
    /// <param name="stop">Ends the run after the current step; the report says so.</param>
    /// <inheritdoc cref="Steps" path="/exception"/>
    public TrainingReport Fit(
        IEnumerable<Batch> batches, FitOptions options, IProgress<TrainingEvent>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        using var turn = _turns.Take();
        using var held = _runs.Lock(options);
        var loop = _runs.Begin(options, CountOf(batches, options));
        foreach (var happened in loop.Run(batches.From(loop.State.Position), stop)) progress?.Report(happened);
        return loop.Report();
    }

    /// <summary>Makes a whole run over batches that are waited for.</summary>
    /// <param name="batches">The batches of one pass; asked for again where the run takes more.</param>
    /// <param name="options">See <see cref="Steps"/>; <see cref="FitOptions.Steps"/> must be given.</param>
    /// <param name="progress">Told of each step and evaluation.</param>
    /// <param name="stop">Ends the run after the current step, or while it waits for a batch; the report says so.</param>
    /// <inheritdoc cref="Steps" path="/exception"/>
    public async Task<TrainingReport> FitAsync(IAsyncEnumerable<Batch> batches, FitOptions options,
        IProgress<TrainingEvent>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        using var turn = _turns.Take();
        using var held = _runs.Lock(options);
        var loop = _runs.Begin(options, batches: null);
        await foreach (var happened in loop.RunAsync(batches.From(loop.State.Position, stop), stop).ConfigureAwait(false))
            progress?.Report(happened);
        return loop.Report();
    }

    /// <summary>Measures loss and metrics with the adapter as it is now.</summary>
    /// <param name="batches">The set.</param>
    public EvaluationEvent Evaluate(IEnumerable<Batch> batches)
    {
        using var turn = _turns.Take();
        return Evaluator.Evaluate(Runtime, batches, Runtime.StepCount);
    }

    /// <summary>The scores of a batch with the adapter as it is now: the output that the loss is made of.</summary>
    /// <param name="batch">The batch; labels are not needed.</param>
    /// <returns>The output by its name in the model; none where the model computes the loss itself.</returns>
    public IReadOnlyDictionary<string, OnnxTensor> Predict(Batch batch)
    {
        using var turn = _turns.Take();
        return Graphs.Logits is null ? ReadOnlyDictionary<string, OnnxTensor>.Empty : _scores.Of(batch, Runtime.State);
    }

    /// <summary>The adapter as it is now.</summary>
    /// <exception cref="LortaException">LRT602: a parameter is no number, which a runtime that tells no norm notices only here.</exception>
    public Adapter ToAdapter()
    {
        var state = State;
        return state.Tensors.Values.All(IsFinite)
            ? Graphs.AdapterOf(state.Tensors)
            : throw TrainingErrors.GradientNotFinite(state.Step, double.NaN);

        static bool IsFinite(OnnxTensor tensor) => tensor.Type != ElementType.Float || Array.TrueForAll(tensor.ToFloats(), float.IsFinite);
    }

    /// <summary>Closes the sessions.</summary>
    /// <exception cref="InvalidOperationException">A call is at work.</exception>
    public void Dispose()
    {
        if (_turns.AreOver) return;
        _turns.TakeLast();
        _scores.Dispose();
        _sessionRuntime.Dispose();
    }

    /// <summary>What computes a run of so many steps; a family may have its part after each of them.</summary>
    internal ITrainingRuntime Planned(long steps)
    {
        if (_plannedSteps == steps || Graphs.Plan.Family.AfterStep(Graphs.Plan.Sites, steps) is not { } afterStep) return Runtime;
        var state = _given?.Step == Runtime.StepCount ? _given : Runtime.State;
        Runtime = new AfterStepRuntime((IGradientRuntime)_sessionRuntime, Graphs, afterStep);   // others refuse such families
        _plannedSteps = steps;
        if (state.Step > 0)
        {
            RefuseIncomplete(state);
            Runtime.State = state;
        }
        return Runtime;
    }

    /// <summary>Computes the gradients of a step, each batch weighed by its labels, and steps.</summary>
    /// <exception cref="LortaException">LRT601: the loss is no finite number, nothing has moved; LRT602: the gradients are none, and the
    /// tensors have moved: set <see cref="State"/> to continue from before.</exception>
    internal TrainedStep StepOn(IReadOnlyList<Batch> group, double learningRateFactor)
    {
        long[] labels = [.. group.Select(batch => batch.LabelsFor(Loss))];
        var all = Math.Max(1, labels.Sum());
        var isDone = false;
        try
        {
            var loss = group.Zip(labels).Sum(part => Runtime.Accumulate(part.First, weight: (double)part.Second / all));
            if (!double.IsFinite(loss)) throw TrainingErrors.LossNotFinite(NextStep, loss);
            isDone = true;
            var norm = Runtime.Step(learningRateFactor);
            return norm is not { } length || double.IsFinite(length)
                ? new TrainedStep(group, loss, norm, Graphs.LearningRate * learningRateFactor)
                : throw TrainingErrors.GradientNotFinite(NextStep - 1, length);
        }
        finally
        {
            if (!isDone) Runtime.ClearGradients();   // the next step must not add to what failed
        }
    }

    private void RefuseWithoutPlan()
    {
        if (_plannedSteps is null && Graphs.Plan.Family.AfterStep(Graphs.Plan.Sites, int.MaxValue) is not null)
            throw new InvalidOperationException(
                $"{Graphs.Plan.Family.Method} shares ranks out over all steps of a run: use Steps or Fit, which know their number.");
    }

    private void RefuseIncomplete(TrainingState state)
    {
        if (state.DifferenceFrom(Runtime.State) is { } difference) throw new ArgumentException($"The state does not fit: {difference}.");
    }

    private static int? CountOf(IEnumerable<Batch> batches, FitOptions options) =>
        batches.TryGetNonEnumeratedCount(out var count) ? count : options.Steps is null ? batches.Count() : null;
}
