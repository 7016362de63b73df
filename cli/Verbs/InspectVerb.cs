using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.Runtime.Generation;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta inspect MODEL</c>.</summary>
internal static class InspectVerb
{
    public static Verb Create()
    {
        var model = Arg.Model();
        var graph = Opt.Path("--graph", "Write the canonical training graph, for Netron.", "OUT.onnx");
        var weights = Opt.Of<bool>("--weights", "List the parameters by their PyTorch-style names.");
        var explain = Opt.Of<bool>(
            "--explain", "For what was not understood, show which form came closest, where it stopped and what is missing.");
        var sites = Opt.Of<bool>("--sites", "List every linear layer of attention and MLP, and every finding.");
        var force = Opt.Force();
        const string about = "Show what a model is and what can be adapted in it.";
        return Verb.Define("inspect", about, [model, sites, weights, explain, graph, force], call =>
        {
            var deployed = OnnxModel.Load(call.Get(model));
            var understood = UnderstoodModel.Of(deployed);
            var result = Of(understood);
            if (call.Get(graph) is { } given)
            {
                var path = ExportTarget.FileOf(given, deployed);
                new OutputGuard(call.Get(force), deployed.Files).CheckModel(path);
                ReadableGraph.Of(understood.Canonical, understood.Map).Save(path);
            }
            return result with
            {
                ShowsSites = call.Get(sites),
                Names = call.Get(weights) ? ParameterNames.Of(deployed) : null,
                Explanations = call.Get(explain)
                    ? [.. understood.Map.Findings.Select(finding => finding.Explanation).OfType<Explanation>()]
                    : null,
            };
        });
    }

    /// <summary>What a model is, by its graph and the files beside it.</summary>
    internal static InspectResult Of(UnderstoodModel understood)
    {
        var (deployed, inspection) = (understood.Deployed, ModelInspection.Of(understood));
        var folder = Path.GetDirectoryName(Path.GetFullPath(deployed.Path))!;
        return new InspectResult(inspection)
        {
            Tokenizer = TokenizerFacts.In(folder),
            Positions = PositionLimit.Of(deployed, folder)?.Tokens,
            Bytes = deployed.FileBytes,
        };
    }
}
