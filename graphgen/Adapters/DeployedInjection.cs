using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Writes an adapter into the deployed graph as side branches: the base stays as it is, factors and scale are inputs with defaults.</summary>
public static class DeployedInjection
{
    /// <summary>Adds the branches.</summary>
    /// <param name="deployed">The model; it is not changed.</param>
    /// <param name="options">The adapter.</param>
    /// <param name="values">Values of factors by name; those that are absent are drawn.</param>
    /// <param name="seed">Seed of drawn values.</param>
    /// <returns>The new model, the plan, and the factors that it holds.</returns>
    /// <exception cref="LortaException">LRT2xx, LRT3xx: the model is not understood, or the options do not fit it.</exception>
    public static (Model Model, AdapterFolder Adapter) Apply(Model deployed, AdapterOptions options, IReadOnlyDictionary<string, Tensor> values, long seed)
    {
        var map = AttentionMap.Of(CanonicalModel.Of(deployed));
        var plan = AdapterPlan.Of(BaseModels.ArchitectureOf(deployed, map), options);
        var factors = plan.Factors.ToDictionary(factor => factor.Name, factor => values.TryGetValue(factor.Name, out var given) ? AdapterFolder.Checked("--factors", factor, given) : factor.Draw(seed), StringComparer.Ordinal);
        var model = deployed.Clone();
        ShapeInference.Infer(model.Graph);
        var linears = plan.Sites.All.Select(site => Branch(model, BaseModels.Linear(map, site))).ToList();
        AdapterInjection.Apply(new Tape(model.Graph, onnxOnly: true), plan, linears, factors);
        model.Graph.Sort();
        return (model, new AdapterFolder(string.Empty, AdapterConfig.Of(plan, BaseModels.Describe(deployed, map, plan)), factors));
    }

    // x and y of the file's own nodes.
    private static (Value Input, Value Output) Branch(Model model, LinearSite linear)
    {
        var node = model.Graph.Find(linear.Stored.Output)!.Producer!;
        var y = linear.Stored.BiasNode is not null && linear.Stored.BiasNode != linear.Stored.Node
            ? node.Output.Uses.Select(use => use.Node).First(reader => reader.Name == linear.Stored.BiasNode).Output
            : node.Output;
        return y.Type == ElementType.Float && y.Shape?[-1].Value == linear.Out
            ? (node.Input(0)!, y)
            : throw AdapterErrors.NoBranch(linear.Address, node, "its output is packed with others or not float32");
    }
}
