using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Pieces;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>The attention of layers in a deployed graph, where it is written with products and a softmax.</summary>
internal static class DeployedAttention
{
    /// <summary>The attention of the layers of a plan that acts there.</summary>
    /// <param name="map">The attention of the training copy.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="model">The deployed graph, with shapes.</param>
    /// <exception cref="LortaException">LRT328: a layer whose attention is one operator, or is not found again.</exception>
    public static IReadOnlyList<AttentionPort> Of(AttentionMap map, AdapterPlan plan, OnnxModel model)
    {
        var ports = AttentionPort.Of(map, plan);
        if (ports.Count == 0) return ports;
        var cores = AttentionForms.Find(model.Graph, new Dictionary<Node, IReadOnlyList<string>>()).Cores
            .ToDictionary(core => core.Softmax.Output.Name, StringComparer.Ordinal);
        return [.. ports.Select(port => port with { Core = CoreOf(port, cores) })];
    }

    private static AttentionCore CoreOf(AttentionPort port, Dictionary<string, AttentionCore> cores)
    {
        var source = port.Core.Softmax.Source ?? port.Core.Softmax;
        if (source.Op != "Softmax") throw AdapterErrors.NoDeployedPlace(port.Layer, source, "attention is one operator");
        if (!cores.TryGetValue(source.Output.Name, out var core) || core.Scores.Output.Shape is null)
            throw AdapterErrors.NoDeployedPlace(port.Layer, source, "its products with queries, keys and values are not plain ones");
        if (core.Q.Type is not (ElementType.Float or ElementType.Float16))
            throw AdapterErrors.NoDeployedPlace(port.Layer, source, $"it computes in {core.Q.Type.Display()}");
        return KeysOfLayer.StepsOf(core) == KeysOfLayer.StepsOf(port.Core)
            ? core
            : throw AdapterErrors.NoDeployedPlace(port.Layer, source, "the file scales or rotates its keys in a form of its own");
    }
}
