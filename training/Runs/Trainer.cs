using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Schedules;
using LoRTA.Onnx.Training.Tasks;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The training loop.</summary>
/// <param name="recipe">What is trained, and how.</param>
/// <param name="runtime">What computes.</param>
/// <param name="data">What is learned from.</param>
/// <param name="checkpoints">Where the run is kept.</param>
/// <param name="evaluator">Measures the validation data; null = there are none.</param>
/// <param name="tracker">Takes note.</param>
/// <param name="clock">Clock for speeds.</param>
internal sealed class Trainer(
    Recipe recipe,
    ITrainingRuntime runtime,
    DataStream data,
    RunCheckpoints checkpoints,
    Evaluator? evaluator,
    ITracker tracker,
    TimeProvider clock)
{
    private readonly RunPlan _plan = RunPlan.Of(recipe.Train, data.BatchesPerEpoch);

    /// <summary>Trains until the plan's last step, an early stop, or <paramref name="stop"/>, and leaves the runtime at the state to be
    /// kept.</summary>
    public RunState Run(RunState run, CancellationToken stop)
    {
        var schedule = new LearningRateSchedule(recipe.Train.Schedule, _plan.Steps);
        var meter = new SpeedMeter(clock, run.Step, _plan.Steps);
        foreach (var group in _plan.Groups(data.From(run.Position).Prefetch(2)))
        {
            if (_plan.IsDone(run) || stop.IsCancellationRequested) break;
            var labels = Math.Max(1, group.Sum(batch => batch.Labels));
            var loss = 0.0;
            foreach (var batch in group) loss += runtime.Accumulate(batch, weight: (double)batch.Labels / labels);
            if (!double.IsFinite(loss)) throw TrainingErrors.LossNotFinite(run.Step + 1, loss);
            var norm = runtime.Step(schedule.At(run.Step + 1));
            if (!double.IsFinite(norm)) throw TrainingErrors.GradientNotFinite(run.Step + 1, norm);
            run = run.Next(group, loss);
            var rate = recipe.Train.Optimizer.LearningRate * schedule.At(run.Step);
            tracker.Step(meter.Measure(run, group, loss, norm, rate, (double)run.Step / _plan.StepsPerEpoch));
            if (evaluator is not null && (_plan.Evaluates(run) || _plan.IsDone(run))) run = Evaluate(run);
            if (_plan.Saves(run) || run.BestStep == run.Step) checkpoints.Save(run, runtime);
        }
        checkpoints.Save(run, runtime);   // also after Ctrl-C
        return run;
    }

    private RunState Evaluate(RunState run)
    {
        var record = evaluator!.Evaluate(runtime, run.Step);
        tracker.Evaluation(record);
        var metric = run.Step >= runtime.FirstFinalStep ? recipe.Train.KeepBest ?? recipe.Train.EarlyStop?.Metric : null;
        return run.Judge(record, metric, TrainingTasks.Of(recipe.Task));
    }
}
