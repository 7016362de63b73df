using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export;

/// <summary>Folds adapters into deployed models: W′ of each site by the family's own graph, put back where and how the file stores
/// W.</summary>
public static class AdapterFold
{
    /// <summary>Folds an adapter into a model.</summary>
    /// <param name="engine">Runs the fold graphs.</param>
    /// <param name="model">The model; it is not changed. Names, inputs, outputs, operators, opset and metadata stay; names of classes
    /// that the adapter has are added to the metadata.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="options">How; null = into the weights, in the types that the file stores them in.</param>
    /// <exception cref="LortaException">LRT308 … LRT312: the adapter is of another model, incomplete, or cannot be folded.</exception>
    public static FoldedModel Fold(this IGraphEvaluator engine, OnnxModel model, Adapter adapter, ExportOptions? options = null) =>
        engine.Fold(UnderstoodModel.Of(model), adapter, options);

    /// <inheritdoc cref="Fold(IGraphEvaluator, OnnxModel, Adapter, ExportOptions)"/>
    public static FoldedModel Fold(
        this IGraphEvaluator engine, UnderstoodModel model, Adapter adapter, ExportOptions? options = null)
    {
        options ??= new ExportOptions();
        if (options.KeepBase) return Beside(model, adapter, options, engine.Catalog);
        var plan = BaseModels.PlanOf(model, adapter, options.AllowOtherBase, engine.Catalog);
        if (!FoldGraph.IsPossible(plan)) throw AdapterErrors.NotFoldable(plan.Family.Method);
        var fold = new FoldGraph(plan, adapter.FactorsOf(plan), engine);
        var result = model.Deployed.Clone();
        var choice = new RoundingChoice();
        var writer = new WeightWriter(result, options.Widen, choice);
        var biases = new BiasWriter(model, result, writer);
        var sites = plan.Sites.All.Select(site => (Site: site, Linear: BaseModels.Linear(model.Map, site))).ToList();
        foreach (var group in sites.GroupBy(item => (item.Linear.Stored.Weight, item.Linear.Stored.Output)))
            writer.Replace(
                group.First().Linear.Stored,
                BaseModels.Numbers(model.Deployed, group.First().Linear.Stored),
                [.. group.Select(item => WeightOf(model.Deployed, item.Linear, item.Site, fold))]);
        foreach (var (site, linear) in sites)
        {
            var read = linear.Bias is null ? (Func<OnnxTensor>?)null : () => biases.Read(linear);
            if (fold.FoldBias(site, () => model.WeightOf(site), read) is { } bias) biases.Replace(linear, bias);
            biases.Follow(linear);
        }
        biases.Write();
        new ParameterWriter(model.Deployed, result).Write(adapter);
        WriteLabels(result, adapter);
        result.Graph.RemoveUnused();
        return new FoldedModel(result)
        {
            Bits = writer.Bits,
            Choice = choice,
            Rounding = writer.Rounding,
            Round = writer.Round,
            IsBase = () => adapter.Config.Trainables.Count == 0 && !biases.ChangesNumbers && !writer.ChangesNumbers(),
        };
    }

    private static FoldedModel Beside(UnderstoodModel understood, Adapter adapter, ExportOptions options, LortaCatalog catalog)
    {
        var model = DeployedInjection.WithConstants(understood, adapter, options.AllowOtherBase, catalog);
        new ParameterWriter(understood.Deployed, model).Write(adapter);
        WriteLabels(model, adapter);
        return new FoldedModel(model);
    }

    private static void WriteLabels(OnnxModel model, Adapter adapter)
    {
        if (adapter.Config.Labels is { } labels) ModelLabels.Write(model, adapter.Config.Task, labels);
    }

    private static WeightEdit WeightOf(OnnxModel deployed, Projection linear, AdapterSite site, FoldGraph fold)
    {
        var matrix = BaseModels.Matrix(deployed, linear);
        return new WeightEdit(site.Address, matrix, weight =>
            fold.Fold(site, weight, null)?.Weight ?? throw AdapterErrors.NotFoldable(site.Address))
        { Delta = () => fold.Delta(site, matrix.Layout) };
    }
}

/// <summary>New numbers for one matrix of a stored tensor.</summary>
/// <param name="Address">Its site.</param>
/// <param name="Matrix">Its place.</param>
/// <param name="Compute">W′ of W, both [in, out].</param>
internal sealed record WeightEdit(string Address, WeightView Matrix, Func<OnnxTensor, OnnxTensor> Compute)
{
    /// <summary>ΔW as the matrix is laid out, where W′ = W + ΔW; null elsewhere.</summary>
    public Func<OnnxTensor?> Delta { get; init; } = () => null;

    /// <summary>Puts W′ at its place among all stored numbers.</summary>
    /// <returns>Whether any number is another one now.</returns>
    public bool Apply(float[] stored) => Matrix.Factor is null && Delta() is { } delta
        ? Matrix.Add(delta, stored)
        : Matrix.Write(Compute(Matrix.Read(stored)), stored);
}
