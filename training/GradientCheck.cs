using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Training;

/// <summary>Checks derived gradients, as <c>lorta gradcheck</c> does.</summary>
public static class GradientCheck
{
    /// <summary>Compares gradients with central differences of the loss.</summary>
    /// <param name="engine">Where to compute.</param>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="options">What is trained; factors get random values, as at zero nothing is checked.</param>
    /// <param name="batch">A safetensors file whose tensors bear the names of the model's inputs, and <c>labels</c>; null = random
    /// tokens.</param>
    /// <returns>What differs; wrong gradients are no exception, see <see cref="DifferenceResult.Failure"/>.</returns>
    /// <exception cref="LortaException">LRT101, LRT103, LRT105: the batch is missing or damaged; LRT2xx … LRT4xx: the model is not
    /// understood, or options do not fit it; LRT605: the loss is no number.</exception>
    public static DifferenceResult CheckGradients(this OrtEngine engine, OnnxModel model, TrainingOptions options, string? batch = null)
    {
        engine.ThrowIfDisposed();
        var understood = UnderstoodModel.Of(model);
        var vocabulary = TokenEmbedding.Vocabulary(model);
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(understood, options.Adapter, engine.Catalog), options.Seed);
        var graphs = TrainingGraphs.Build(understood, options with { Values = values }, engine.Catalog);
        var rows = batch is not null
            ? StoredBatch.Load(batch)
            : SampleBatch.For(options.Task, vocabulary ?? 2, graphs.Evaluation.Classes ?? 2, options.Seed, graphs.Batches.Sizes,
                ownLabels: LabelKind.Of(graphs.Evaluation.Model.Graph));
        return new CentralDifferenceCheck(graphs, engine.Options, options.Seed).Run(rows);
    }

    /// <summary>Compares loss, gradients, optimizer steps and ΔW with a golden file.</summary>
    /// <param name="engine">Where to compute.</param>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="golden">A <c>.safetensors</c> file with its <c>.json</c> next to it.</param>
    /// <param name="batch">The batch; null = the golden's own, in <c>reference/</c> next to the model.</param>
    /// <param name="names">A file of parameter names that override the derived ones; null = there is none.</param>
    /// <exception cref="LortaException">LRT101, LRT105: a file is missing or damaged; LRT3xx: the golden is of another model.</exception>
    public static GoldenResult CheckGolden(
        this OrtEngine engine, OnnxModel model, string golden, string? batch = null, string? names = null)
    {
        engine.ThrowIfDisposed();
        var (understood, expected) = (UnderstoodModel.Of(model), Golden.Load(golden));
        var options = expected.ToOptions(understood, engine.Catalog, names is null ? null : ParameterNameFile.Load(names, model));
        var rows = batch
            ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(model.Path))!, "reference", expected.Batch ?? "batch.safetensors");
        return new GoldenCheck(expected, engine)
            .Run(TrainingGraphs.Build(understood, options, engine.Catalog), StoredBatch.Load(rows), engine.Options);
    }
}
