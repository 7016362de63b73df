using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Patterns;

namespace LoRTA.Onnx.Cli;

/// <summary>The result of <c>lorta inspect</c>; a model without a layer that was understood fails.</summary>
/// <param name="Inspection">What was found.</param>
internal sealed record InspectResult(ModelInspection Inspection) : IVerdict, IDocument
{
    /// <summary>The model's parameters, if asked for.</summary>
    public IReadOnlyList<ParameterName>? Names { get; init; }

    /// <summary>Why pieces of the model were not understood, if asked for.</summary>
    public IReadOnlyList<Explanation>? Explanations { get; init; }

    public bool Ok => Inspection.Layers.Count > 0;

    /// <summary>The contract's JSON.</summary>
    public JsonNode ToJson()
    {
        var json = JsonSerializer.SerializeToNode(Inspection, ModelInspection.Json)!.AsObject();
        if (Names is not null)
            json["parameterNames"] = new JsonObject(Names.Select(name => KeyValuePair.Create(name.Name, (JsonNode?)Describe(name))));
        if (Explanations is not null)
        {
            json["forms"] = new JsonObject(Sites().Select(item => KeyValuePair.Create(
                item.Address, (JsonNode?)new JsonArray([.. item.Site!.Forms.Select(form => (JsonNode)form)]))));
            json["explanations"] = JsonSerializer.SerializeToNode(Explanations, ModelInspection.Json);
        }
        return json;
    }

    /// <summary>Sizes, one row per linear layer, and what was not understood.</summary>
    public object ToTable() => new
    {
        Inspection.Model,
        Inspection.Producer,
        Opset = Inspection.Opsets.GetValueOrDefault("ai.onnx"),
        Inspection.Hidden,
        Heads = Inspection.Heads == Inspection.KvHeads
            ? $"{Inspection.Heads}"
            : $"{Inspection.Heads} ({Inspection.KvHeads} for keys and values)",
        Inspection.HeadWidth,
        Layers = Inspection.Layers.Count,
        Inspection.Parameters,
        Sites = Sites(understood: false).Select(item => Row(item.Address, item.Site)).ToList(),
        Inspection.Findings,
        Forms = Explanations is null
            ? null
            : Sites().Select(item => new { Site = item.Address, Forms = string.Join(", ", item.Site!.Forms) }).ToList(),
        Explanations = Explanations?.Select(Describe).ToList(),
        ParameterNames = Names?.Select(name => new { name.Name, name.Initializer, Transposed = name.IsTransposed }).ToList(),
    };

    // An MLP may have no gate, and a layer no MLP: what is not there gets no row.
    private IEnumerable<(string Address, ModelInspection.Site? Site)> Sites(bool understood = true) => Inspection.Layers
        .SelectMany(layer => new[] { ("q", layer.Q), ("k", layer.K), ("v", layer.V), ("p", layer.P) }
            .Where(pair => pair.Item2 is not null || !understood)
            .Concat(new[] { ("gate", layer.Gate), ("up", layer.Up), ("down", layer.Down) }.Where(pair => pair.Item2 is not null))
            .Select(pair => ($"layers.{layer.Index}.{pair.Item1}", pair.Item2)));

    private static object Row(string address, ModelInspection.Site? site) => new
    {
        Site = address,
        Node = site?.Node ?? "not understood",
        Weight = site?.Weight,
        Layout = site?.Layout,
        Size = site is null ? null : $"{site.In} → {site.Out}",
        Heads = site?.Heads,
        Columns = site?.Features.ToString(),
        Through = site is null ? null : string.Join(" ", site.Through),
        Quantized = site?.Quantization?.Kind,
        Attention = site?.Heads is null ? null : site.Attention,
        Bias = site?.Bias,
    };

    private static object Describe(Explanation explanation) => new
    {
        explanation.LookedFor,
        Stopped = explanation.Op == "input" ? $"input '{explanation.Node}'" : $"{explanation.Op} '{explanation.Node}'",
        Passed = string.Join(", ", explanation.Passed),
        Closest = explanation.Closest?.ToString() ?? "no form fits in part",
        Declined = explanation.Declined.Count == 0 ? null : string.Join("; ", explanation.Declined),
        Missing = explanation.Remedy,
    };

    private static JsonObject Describe(ParameterName name)
    {
        var json = new JsonObject
        {
            ["initializer"] = name.Initializer,
            ["transposed"] = name.IsTransposed,
            ["slice"] = name.Slice is { } slice ? new JsonArray(slice.Axis, slice.Start, slice.End) : null,
        };
        if (name.Also.Count > 0) json["also"] = new JsonArray([.. name.Also.Select(also => (JsonNode)also)]);
        return json;
    }
}
