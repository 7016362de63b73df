using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>A model with an adapter as side branches, not yet written.</summary>
/// <param name="Model">The deployed graph; factors and scale are inputs with defaults.</param>
/// <param name="Adapter">The adapter that it holds.</param>
public sealed record InjectedModel(OnnxModel Model, Adapter Adapter)
{
    /// <summary>Takes the defaults of the factors away: whoever runs the model gives them. The strength keeps its own, as it is the
    /// adapter's; so do random factors that are not trained, which no adapter file holds.</summary>
    public void RequireFactors()
    {
        foreach (var input in Model.Graph.Inputs)
            if (TensorName.Parse(input.Name).Kind == TensorKind.Factor) input.Constant = null;
    }

    /// <summary>Writes the model, and the adapter's folder next to it: of <c>OUT.onnx</c> it is <c>OUT.adapter</c>.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="guard">What may not be replaced.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <returns>The adapter as it is planned in the model, and its folder.</returns>
    /// <exception cref="LortaException">LRT102, LRT107, LRT123, LRT124, LRT701: the place is taken; LRT104: it cannot be
    /// written.</exception>
    public (AdapterPlan Plan, string Folder) Save(string path, OutputGuard guard, LortaCatalog? catalog = null)
    {
        var folder = $"{Path.ChangeExtension(path, null)}.adapter";
        guard.CheckModel(path);
        guard.CheckFolder(folder, Adapter.IsFile);
        var plan = AdapterPlan.Of(Adapter.Config.Base.Architecture!, Adapter.Config.AdapterOptions, catalog);   // of sites
        (Adapter with { Path = folder, Folds = FoldGraph.IsPossible(plan) }).SaveWith(Model, path);
        return (plan, folder);
    }
}
