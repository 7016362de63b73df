using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Predictions;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training;

/// <summary>Recipes put to work, as the command does it.</summary>
public static class RecipeRuns
{
    /// <summary>What the recipe trains, for an <see cref="AdapterTrainer"/>; how long and when is in <see cref="TrainOptions.ToFit"/>, the
    /// batches in <see cref="RecipeData"/>.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <exception cref="ArgumentException">The recipe continues from an adapter: train the recipe itself.</exception>
    public static TrainingOptions ToTrainingOptions(this Recipe recipe) => recipe.Adapter.From is null
        ? RecipeMapping.ToOptions(recipe, values: null)
        : throw new ArgumentException("The recipe continues from an adapter (adapter.from); train the recipe itself.", nameof(recipe));

    /// <summary>Trains, and writes a run folder: adapter, checkpoints, metrics, reports. It is what <c>lorta train</c> does.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="engine">Where to compute; its device replaces that of the recipe.</param>
    /// <param name="options">How the run is started; null = in a new folder.</param>
    /// <param name="progress">Told what happens.</param>
    /// <param name="stop">Stops after the current step, with everything saved.</param>
    /// <exception cref="OperationCanceledException">It was stopped before the run began; nothing was written then.</exception>
    /// <returns>What it came to; of a run that was stopped, <see cref="TrainingReport.Ending"/> says so.</returns>
    /// <exception cref="LortaException">Anything that does not fit, before the first file is written; a loss that is no number.</exception>
    public static TrainingReport Train(this Recipe recipe, OrtEngine engine, RecipeRunOptions? options = null,
        IProgress<TrainingEvent>? progress = null, CancellationToken stop = default)
    {
        using var asked = Begin(recipe, engine, needsData: true, stop);
        return TrainingRun.Train(recipe, engine, options ?? new RecipeRunOptions(), progress, stop);
    }

    /// <summary>Measures loss and metrics on the validation data.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="engine">Where to compute; its device replaces that of the recipe.</param>
    /// <param name="options">What is measured; null = the model as it is, without an adapter.</param>
    /// <param name="progress">Told what became of the data's entries, and how far it is.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="LortaException">Anything that does not fit.</exception>
    public static EvaluationReport Evaluate(this Recipe recipe, OrtEngine engine, EvaluationOptions? options = null,
        IProgress<TrainingEvent>? progress = null, CancellationToken stop = default)
    {
        using var asked = Begin(recipe, engine, needsData: true, stop);
        return TrainingRun.Evaluate(recipe, engine, options ?? new EvaluationOptions(), progress);
    }

    /// <summary>Predicts labels or numbers for rows without labels, and writes them whole or not at all.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="engine">Where to compute; its device replaces that of the recipe.</param>
    /// <param name="options">What predicts, the rows, and the file that is written.</param>
    /// <param name="progress">Told what became of the rows, and how far it is.</param>
    /// <param name="stop">Ends it; nothing is written then.</param>
    /// <exception cref="LortaException">Anything that does not fit, before anything is written.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static PredictionReport Predict(this Recipe recipe, OrtEngine engine, PredictionOptions options,
        IProgress<TrainingEvent>? progress = null, CancellationToken stop = default)
    {
        using var asked = Begin(recipe, engine, needsData: false, stop);
        return new Predictor(progress).Run(recipe, engine, options, stop);
    }

    private static IDisposable Begin(Recipe recipe, OrtEngine engine, bool needsData, CancellationToken stop)
    {
        engine.ThrowIfDisposed();
        if (needsData && recipe.IsBare)
            throw new ArgumentException("A recipe that was made for a model names no data: it predicts only.", nameof(recipe));
        return StopRequest.Under(stop.CanBeCanceled ? stop : StopRequest.Token);
    }
}
