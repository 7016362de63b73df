using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Schedules;
using LoRTA.Onnx.Training.Tasks;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The training loop.</summary>
/// <param name="recipe">What is trained, and how.</param>
/// <param name="task">What computes, what is learned from and measured on, and how many steps there are.</param>
/// <param name="checkpoints">Where the run is kept.</param>
/// <param name="tracker">Takes note.</param>
/// <param name="clock">Clock for speeds.</param>
internal sealed class Trainer(
    Recipe recipe,
    PreparedTask task,
    RunCheckpoints checkpoints,
    ITracker tracker,
    TimeProvider clock)
{
    private readonly RunPlan _plan = task.Plan;
    private readonly ITrainingRuntime _runtime = task.Runtime;
    private readonly Evaluator? _evaluator = task.Evaluator;
    private readonly SampleTexts? _samples = recipe.Train.Samples.Count > 0 && task.Evaluator?.Output is { } output
        ? new SampleTexts(recipe, output, task.Graphs.Batches)
        : null;

    /// <summary>Trains until the plan's last step, an early stop, or <paramref name="stop"/>, and leaves the runtime at the state to be
    /// kept.</summary>
    public RunState Run(RunState run, CancellationToken stop)
    {
        var schedule = new LearningRateSchedule(recipe.Train.Schedule, _plan.Steps);
        var meter = new SpeedMeter(clock, _plan, run.Step);
        if (run.Step == 0 && _plan.EvaluatesOnTheWay) MeasureStart(meter);
        foreach (var group in _plan.Groups(task.Data.Train.From(run.Position).Prefetch(2)))
        {
            if (_plan.IsDone(run) || stop.IsCancellationRequested) break;
            var labels = Math.Max(1, group.Sum(batch => batch.Labels));
            var loss = 0.0;
            foreach (var batch in group) loss += _runtime.Accumulate(batch, weight: (double)batch.Labels / labels);
            if (!double.IsFinite(loss)) throw TrainingErrors.LossNotFinite(run.Step + 1, loss);
            var norm = _runtime.Step(schedule.At(run.Step + 1));
            if (!double.IsFinite(norm)) throw TrainingErrors.GradientNotFinite(run.Step + 1, norm);
            run = run.Next(group, loss);
            var rate = recipe.Train.Optimizer.LearningRate * schedule.At(run.Step);
            tracker.Step(meter.Measure(run, group, loss, norm, rate));
            run = run with { Speed = meter.Total };
            if (_evaluator is not null && (_plan.Evaluates(run) || _plan.IsDone(run))) run = Evaluate(run, meter);
            if (_plan.Saves(run) || run.BestStep == run.Step) checkpoints.Save(run, _runtime);
        }
        checkpoints.Save(run, _runtime);   // also after Ctrl-C
        return run;
    }

    // What training is compared with: a fresh adapter computes what the base computes, one that is continued what it had learned. It
    // is never the best state.
    private void MeasureStart(SpeedMeter meter)
    {
        if (_evaluator is null) return;
        tracker.Evaluation(_evaluator.Evaluate(_runtime, step: 0));
        WriteSamples(step: 0);
        meter.Evaluated();
    }

    private void WriteSamples(long step)
    {
        foreach (var text in _samples?.Write(_runtime) ?? []) tracker.Note($"sample after step {step}: {text.ReplaceLineEndings(" ")}");
    }

    private RunState Evaluate(RunState run, SpeedMeter meter)
    {
        var record = _evaluator!.Evaluate(_runtime, run.Step);
        tracker.Evaluation(record);
        WriteSamples(run.Step);
        meter.Evaluated();
        var metric = run.Step >= _runtime.FirstFinalStep ? recipe.Train.KeepBest ?? recipe.Train.EarlyStop?.Metric : null;
        return run.Judge(record, metric, TrainingTasks.Of(task.Graphs.Batches.Loss!));
    }
}
