using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Everything that takes note of a run: its files, and the display.</summary>
internal sealed class RunTrackers : ITracker, IDisposable
{
    private readonly List<ITracker> _trackers = [];

    /// <summary>Opens the files that a recipe asks for.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="fromStep">Finished steps.</param>
    /// <param name="progress">The display.</param>
    /// <param name="clock">Time of the entries.</param>
    public RunTrackers(RunFolder folder, Recipe recipe, long fromStep, IProgress<TrainingEvent>? progress, TimeProvider clock)
    {
        _trackers.Add(MetricsLog.Open(folder.Metrics, fromStep));
        _trackers.Add(new TextLog(folder.Log, clock));
        if (recipe.Tracking.Contains(Recipe.TensorBoard)) _trackers.Add(EventLog.Open(folder.Events, fromStep, clock));
        _trackers.Add(new ProgressTracker(progress, recipe.Train.LogEvery));
    }

    /// <summary>Takes note of what happened.</summary>
    public void Take(TrainingEvent happened)
    {
        if (happened is StepEvent step) Step(step);
        else if (happened is EvaluationEvent evaluation) Evaluation(evaluation);
    }

    public void Step(StepEvent record)
    {
        foreach (var tracker in _trackers) tracker.Step(record);
    }

    public void Evaluation(EvaluationEvent record)
    {
        foreach (var tracker in _trackers) tracker.Evaluation(record);
    }

    public void Note(string text)
    {
        foreach (var tracker in _trackers) tracker.Note(text);
    }

    public void Dispose()
    {
        foreach (var file in _trackers.OfType<IDisposable>()) file.Dispose();
    }
}
