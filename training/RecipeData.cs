using System.Collections;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training;

/// <summary>The data of a recipe as batches, for an <see cref="AdapterTrainer"/> of one's own.</summary>
public sealed class RecipeData
{
    private RecipeData(DataStream train, DataStream? validation)
    {
        (Train, Validation) = (new EpochBatches(train), validation is null ? null : new InOrder(validation));
        Counts = train.Counts;
    }

    /// <summary>The training rows. A trainer takes each epoch in its own order, as <c>lorta train</c> does, also where a run is continued;
    /// enumerated by itself, it is the first epoch.</summary>
    public IEnumerable<Batch> Train { get; }

    /// <summary>The validation rows; null where the recipe names none.</summary>
    public IEnumerable<Batch>? Validation { get; }

    /// <summary>What became of the training file's entries.</summary>
    public DataCounts Counts { get; }

    /// <summary>Reads the data.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="model">Its model, which says what the labels look like.</param>
    /// <param name="catalog">Losses to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT4xx, LRT5xx: a file is missing, or its rows do not fit model and task.</exception>
    public static RecipeData Of(Recipe recipe, OnnxModel model, LortaCatalog? catalog = null)
    {
        var resolved = recipe.Resolved();
        RowLength.Check(resolved, model);
        var output = RecipeMapping.LossOutput(resolved);
        var graph = EvaluationGraph.Of(CanonicalModel.Of(model), resolved.Task, output, catalog ?? LortaCatalog.Default);
        var (train, validation) = PreparedTask.DataOf(resolved, graph);
        return new RecipeData(train, validation);
    }

    private sealed class InOrder(DataStream data) : IEnumerable<Batch>
    {
        public IEnumerator<Batch> GetEnumerator() => data.InOrder().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
