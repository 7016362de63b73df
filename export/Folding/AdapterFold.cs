using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Folds adapters into deployed models: W′ of each site by the family's own graph, put back where and how the file stores
/// W.</summary>
/// <param name="evaluator">Runs the fold graphs.</param>
public sealed class AdapterFold(IGraphEvaluator evaluator)
{
    /// <summary>Folds an adapter into a model.</summary>
    /// <param name="deployed">The model; it is not changed. Names, inputs, outputs, operators, opset and metadata stay; names of classes
    /// that the adapter has are added to the metadata.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="options">How.</param>
    /// <exception cref="LortaException">LRT308 … LRT312: the adapter is of another model, incomplete, or cannot be folded.</exception>
    public FoldedModel Fold(OnnxModel deployed, Adapter adapter, ExportOptions options) =>
        Fold(UnderstoodModel.Of(deployed), adapter, options);

    /// <inheritdoc cref="Fold(OnnxModel, Adapter, ExportOptions)"/>
    public FoldedModel Fold(UnderstoodModel understood, Adapter adapter, ExportOptions options)
    {
        if (options.KeepBase) return Beside(understood, adapter, options);
        var deployed = understood.Deployed;
        var plan = BaseModels.PlanOf(understood, adapter, options.AllowOtherBase, evaluator.Catalog);
        if (!FoldGraph.IsPossible(plan)) throw AdapterErrors.NotFoldable(plan.Family.Method);
        var fold = new FoldGraph(plan, adapter.FactorsOf(plan), evaluator);
        var model = deployed.Clone();
        var choice = new RoundingChoice();
        var writer = new WeightWriter(model, options.Widen, choice);
        var biases = new BiasWriter(understood, model, writer);
        var sites = plan.Sites.All.Select(site => (Site: site, Linear: BaseModels.Linear(understood.Map, site))).ToList();
        foreach (var group in sites.GroupBy(item => (item.Linear.Stored.Weight, item.Linear.Stored.Output)))
            writer.Replace(
                group.First().Linear.Stored,
                BaseModels.Numbers(deployed, group.First().Linear.Stored),
                [.. group.Select(item => WeightOf(deployed, item.Linear, item.Site, fold))]);
        foreach (var (site, linear) in sites)
        {
            var read = linear.Bias is null ? (Func<OnnxTensor>?)null : () => biases.Read(linear);
            if (fold.FoldBias(site, () => understood.WeightOf(site), read) is { } bias) biases.Replace(linear, bias);
            biases.Follow(linear);
        }
        biases.Write();
        new ParameterWriter(deployed, model).Write(adapter);
        WriteLabels(model, adapter);
        model.Graph.RemoveUnused();
        return new FoldedModel(model)
        {
            Bits = writer.Bits,
            Choice = choice,
            Rounding = writer.Rounding,
            Round = writer.Round,
            IsBase = () => adapter.Config.Trainables.Count == 0 && !biases.ChangesNumbers && !writer.ChangesNumbers(),
        };
    }

    private FoldedModel Beside(UnderstoodModel understood, Adapter adapter, ExportOptions options)
    {
        var model = DeployedInjection.WithConstants(understood, adapter, options.AllowOtherBase, evaluator.Catalog);
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
