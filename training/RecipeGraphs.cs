using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Schedules;

namespace LoRTA.Onnx.Training;

/// <summary>What a recipe trains, for a program that trains it elsewhere.</summary>
/// <param name="Graphs">Adapter, task, trained parameters and optimizer.</param>
/// <param name="Schedule">The steps of the run.</param>
public sealed record RecipeGraphs(TrainingGraphs Graphs, StepSchedule Schedule)
{
    private const long MostSteps = 10_000_000;   // a table of 40 MB

    /// <summary>Builds the graphs, and plans the run; the data are read where the recipe states epochs, not steps.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="model">Its model, or another that takes its place; it is not changed.</param>
    /// <param name="catalog">Families, losses and gradient rules to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">Anything that does not fit; LRT583: more steps than a schedule is written for.</exception>
    public static RecipeGraphs Of(Recipe recipe, OnnxModel model, LortaCatalog? catalog = null)
    {
        catalog ??= LortaCatalog.Default;
        var resolved = recipe.Resolved();
        var from = resolved.Adapter.From is { } start ? StoredAdapters.Load(start, catalog) : null;
        if (from is not null) resolved = ContinuedAdapter.In(resolved, from, path: null, catalog);
        var understood = UnderstoodModel.Of(model);
        var values = from is null ? null : PreparedTask.ValuesOf(from, understood, catalog);
        var graphs = TrainingGraphs.Build(understood, RecipeMapping.ToOptions(resolved, values), catalog);
        var train = resolved.Train;
        int? batches = train.Steps is null ? PreparedTask.DataOf(resolved, graphs.Evaluation).Train.BatchesPerEpoch : null;
        var steps = RunPlan.Of(train.ToFit(validation: null), batches).Steps;
        if (steps > MostSteps) throw TrainingErrors.TooManySteps(steps, MostSteps);
        var schedule = new LearningRateSchedule(train.Schedule, steps);
        double[] rates = [.. Enumerable.Range(1, (int)steps).Select(step => graphs.LearningRate * schedule.At(step))];
        return new RecipeGraphs(graphs, new StepSchedule(rates, train.GradientAccumulation));
    }
}
