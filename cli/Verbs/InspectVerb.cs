using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Patterns;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta inspect MODEL</c>.</summary>
internal static class InspectVerb
{
    public static Verb Create()
    {
        var model = Arg.Model();
        var graph = Opt.Of<string?>("--graph", "Write the canonical training graph, for Netron.", "OUT.onnx");
        var weights = Opt.Of<bool>("--weights", "List the parameters by their PyTorch-style names.");
        var explain = Opt.Of<bool>(
            "--explain", "Tell of what was not understood which form came closest, where it stopped and what is missing.");
        var force = Opt.Force();
        return Verb.Define("inspect", "Show the attention that was found in a model.", [model, graph, explain, weights, force], call =>
        {
            var deployed = OnnxModel.Load(call.Get(model));
            var understood = UnderstoodModel.Of(deployed);
            var (canonical, map) = (understood.Canonical, understood.Map);
            if (!map.HasAttention) throw DiscoveryErrors.NoAttention(canonical.Deployed.Path);
            var inspection = ModelInspection.Of(canonical, map);
            if (call.Get(graph) is { } path)
            {
                new OutputGuard(call.Get(force), deployed.Files).CheckModel(path);
                ReadableGraph.Of(canonical, map).Save(path);
            }
            return new InspectResult(inspection)
            {
                Names = call.Get(weights) ? ParameterNames.Of(canonical.Deployed) : null,
                Explanations = call.Get(explain) ? [.. map.Findings.Select(finding => finding.Explanation).OfType<Explanation>()] : null,
            };
        });
    }
}
