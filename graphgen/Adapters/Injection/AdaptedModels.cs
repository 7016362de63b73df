using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Models with a trained adapter in them, ready to run.</summary>
internal static class AdaptedModels
{
    /// <summary>The canonical graph of a model with an adapter whose factors, and trained parameters of the model, are constants; with
    /// what has to be fed to get the base out of it.</summary>
    public static SwitchableModel Switchable(
        UnderstoodModel model, Adapter adapter, bool allowOtherBase, LortaCatalog catalog)
    {
        var parameters = adapter.ParametersOf(model.Deployed, new(() => ParameterNames.Of(model.Deployed)));
        var patterns = parameters.Keys.Select(name => new TrainablePattern { Match = name }).ToList();
        var options = adapter.Config.AdapterOptions with { Dropout = 0 };
        var adapted = AdaptedModel.Of(model.Copy(), options, catalog, new(patterns), defaults: adapter.FactorsOf);
        BaseModels.Check(adapter, adapted.Base, adapted.Plan, allowOtherBase);
        var graph = adapted.Canonical.Model.Graph;
        foreach (var (name, value) in parameters) graph.Find(new TensorName(TensorKind.Parameter, name))!.Constant = value;
        graph.RemoveUnused();
        graph.Sort();
        return new SwitchableModel(adapted.Canonical.Model, adapted.Off, LinearsOf(adapted));
    }

    private static Dictionary<string, Projection> LinearsOf(AdaptedModel adapted) =>
        adapted.Plan.Sites.All.ToDictionary(
            site => site.Address, site => BaseModels.Linear(adapted.Base.Map, site), StringComparer.Ordinal);

    /// <summary>The deployed graph of a model with an adapter as side branches.</summary>
    /// <exception cref="LortaException">LRT310, LRT311: of another model; LRT316: no place for a branch; LRT322: it is more than side
    /// branches.</exception>
    public static OnnxModel WithSideBranches(
        OnnxModel deployed, Adapter adapter, bool allowOtherBase, LortaCatalog catalog)
    {
        if (adapter.Config.Trainables is [var parameter, ..]) throw AdapterErrors.TrainedParameters(adapter.Path, parameter);
        return DeployedInjection.WithConstants(UnderstoodModel.Of(deployed), adapter, allowOtherBase, catalog);
    }
}

/// <summary>A model with an adapter that can be switched off.</summary>
/// <param name="Model">The canonical graph; without further inputs the adapter is on.</param>
/// <param name="Off">Inputs with which it computes what the base computes: the scale as 0, trained parameters as the file has them.</param>
/// <param name="Sites">The adapted layers, by address.</param>
internal sealed record SwitchableModel(
    OnnxModel Model, IReadOnlyDictionary<string, OnnxTensor> Off, IReadOnlyDictionary<string, Projection> Sites);
