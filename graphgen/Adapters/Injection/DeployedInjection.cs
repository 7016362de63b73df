using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Writes an adapter into the deployed graph as side branches: the base's weights stay as they are, whatever their
/// format.</summary>
public static class DeployedInjection
{
    /// <summary>Adds branches whose factors and scale are inputs with defaults.</summary>
    /// <param name="deployed">The model; it is not changed.</param>
    /// <param name="options">The adapter.</param>
    /// <param name="values">Values of factors by name; those that are absent, or all where it is null, are drawn.</param>
    /// <param name="seed">Seed of drawn values.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT2xx, LRT3xx: the model is not understood, or the options do not fit it.</exception>
    public static InjectedModel WithInputs(OnnxModel deployed, AdapterOptions options,
        IReadOnlyDictionary<string, OnnxTensor>? values = null, long seed = 0, LortaCatalog? catalog = null)
    {
        var model = UnderstoodModel.Of(deployed);
        var plan = AdapterPlan.Of(model, options, catalog);
        var factors = plan.Factors.ToDictionary(
            factor => factor.Name,
            factor => values?.GetValueOrDefault(factor.Name) is { } given
                ? Adapter.Checked("--factors", factor, given)
                : factor.Draw(seed, model.WeightOf),
            StringComparer.Ordinal);
        var adapter = Adapter.Of(plan, BaseModels.Describe(model, plan), factors, seed) with { Folds = FoldGraph.IsPossible(plan) };
        return new InjectedModel(Branched(model, plan, factors), adapter);
    }

    /// <summary>Adds branches whose factors start as a file says.</summary>
    /// <param name="deployed">The model; it is not changed.</param>
    /// <param name="options">The adapter.</param>
    /// <param name="factors">A safetensors file: keys as in adapter files, or with the prefixes of goldens.</param>
    /// <param name="seed">Seed of what the file does not hold.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT101, LRT103, LRT105: the file is missing or damaged; LRT323: it holds more than there is a place
    /// for; LRT326: it is of another rank or alpha; LRT2xx, LRT3xx: the model is not understood, or the options do not fit
    /// it.</exception>
    public static InjectedModel WithInputs(
        OnnxModel deployed, AdapterOptions options, string factors, long seed = 0, LortaCatalog? catalog = null)
    {
        FactorFile.Check(factors, options);
        var values = FactorFile.Read(factors);
        var injected = WithInputs(deployed, options, values, seed, catalog);
        FactorFile.CheckPlaces(factors, values, injected.Adapter);
        return injected;
    }

    /// <summary>Adds the branches of a trained adapter, whose factors and scale are inputs with defaults.</summary>
    /// <param name="deployed">The model; it is not changed.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="allowOtherBase">Accept other weights than those that the adapter was trained on.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT2xx, LRT3xx: the model is not understood, the adapter is of another one, or it is more than
    /// side branches.</exception>
    public static InjectedModel WithInputs(
        OnnxModel deployed, Adapter adapter, bool allowOtherBase = false, LortaCatalog? catalog = null)
    {
        if (adapter.Config.Trainables is [var parameter, ..]) throw AdapterErrors.TrainedParameters(adapter.Path, parameter);
        var model = UnderstoodModel.Of(deployed);
        var plan = BaseModels.PlanOf(model, adapter, allowOtherBase, catalog ?? LortaCatalog.Default);
        return new InjectedModel(Branched(model, plan, adapter.FactorsOf(plan)), adapter);
    }

    /// <summary>Adds branches whose factors must be fed; the scale is an input with a default.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="plan">The adapter, without dropout.</param>
    /// <exception cref="LortaException">LRT316, LRT327, LRT328: no place for a branch; LRT322: it is more than side branches.</exception>
    internal static OnnxModel WithRequiredInputs(UnderstoodModel model, AdapterPlan plan) => Branched(model, plan, factors: null);

    /// <summary>Adds the branches of a trained adapter; its factors are constants, so that inputs and outputs stay those of the
    /// file.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="allowOtherBase">Accept other weights than those that the adapter was trained on.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT2xx, LRT3xx: the model is not understood, or the adapter is of another one.</exception>
    public static OnnxModel WithConstants(UnderstoodModel model, Adapter adapter, bool allowOtherBase,
        LortaCatalog? catalog = null)
    {
        var plan = BaseModels.PlanOf(model, adapter, allowOtherBase, catalog ?? LortaCatalog.Default);
        var inputs = model.Deployed.Graph.Inputs.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        var branched = Branched(model, plan, adapter.FactorsOf(plan), keepsNames: true);
        foreach (var added in branched.Graph.Inputs.Where(input => !inputs.Contains(input.Name)).ToList())
            branched.Graph.RemoveInput(added);
        return branched;
    }

    // Inputs of the new adapter have the names of the contract; constants leave these to whom the file gives them.
    private static OnnxModel Branched(
        UnderstoodModel understood, AdapterPlan plan, IReadOnlyDictionary<string, OnnxTensor>? factors, bool keepsNames = false)
    {
        if (plan.Parameters is [var parameter, ..]) throw AdapterErrors.TrainedParameters(plan.Family.Method, parameter.Name);
        var model = understood.Deployed.Clone();
        ShapeInference.Infer(model.Graph);
        var own = model.Graph.Nodes.ToHashSet();
        var tape = new Tape(model.Graph, onnxOnly: true);
        var linears = BaseModels.Linears(understood.Map, plan);
        var points = new BranchPoints(model, understood.Deployed, tape, pullBiases: !FoldGraph.IsSum(plan)).Of(linears);
        var attentions = DeployedAttention.Of(understood.Map, plan, model);
        var prefix = keepsNames ? EarlierAdapters.PrefixIn(model) : string.Empty;
        if (!keepsNames) EarlierAdapters.MakeRoom(model, understood.Deployed.Path);
        AdapterInjection.Apply(tape, plan, points, attentions, factors, prefix);
        model.Graph.RemoveUnused();
        BranchOpset.Apply(tape, model, own);
        model.Graph.Sort();
        return model;
    }
}
