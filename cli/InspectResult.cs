using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen.Discovery;

namespace LoRTA.Onnx.Cli;

/// <summary>The result of <c>lorta inspect</c>; a model without a layer that was understood fails.</summary>
/// <param name="Inspection">What was found.</param>
/// <param name="Names">The model's parameters, if asked for.</param>
internal sealed record InspectResult(Inspection Inspection, IReadOnlyList<ParameterName>? Names) : IVerdict, IDocument
{
    public bool Ok => Inspection.Layers.Count > 0;

    /// <summary>The contract's JSON.</summary>
    public JsonNode ToJson()
    {
        var json = JsonSerializer.SerializeToNode(Inspection, Inspection.Json)!.AsObject();
        if (Names is not null) json["parameterNames"] = new JsonObject(Names.Select(name => KeyValuePair.Create(name.Name, (JsonNode?)Describe(name))));
        return json;
    }

    /// <summary>Sizes, one row per linear layer, and what was not understood.</summary>
    public object ToTable() => new
    {
        Inspection.Model,
        Inspection.Producer,
        Opset = Inspection.Opsets.GetValueOrDefault("ai.onnx"),
        Inspection.Hidden,
        Heads = Inspection.Heads == Inspection.KvHeads ? $"{Inspection.Heads}" : $"{Inspection.Heads} ({Inspection.KvHeads} for keys and values)",
        Inspection.HeadWidth,
        Layers = Inspection.Layers.Count,
        Inspection.Parameters,
        Sites = Inspection.Layers.SelectMany(layer => new[] { ("q", layer.Q), ("k", layer.K), ("v", layer.V), ("p", layer.P) }.Select(pair => Row(layer.Index, pair.Item1, pair.Item2))).ToList(),
        Inspection.Findings,
        ParameterNames = Names?.Select(name => new { name.Name, name.Initializer, name.Transposed }).ToList(),
    };

    private static object Row(int layer, string matrix, Inspection.Site? site) => new
    {
        Site = $"layers.{layer}.{matrix}",
        Node = site?.Node ?? "not understood",
        Weight = site?.Weight,
        Layout = site?.Layout,
        Size = site is null ? null : $"{site.In} → {site.Out}",
        Heads = site?.Heads,
        Through = site is null ? null : string.Join(" ", site.Through),
        Bias = site?.Bias,
    };

    private static JsonObject Describe(ParameterName name)
    {
        var json = new JsonObject
        {
            ["initializer"] = name.Initializer,
            ["transposed"] = name.Transposed,
            ["slice"] = name.Slice is { } slice ? new JsonArray(slice.Axis, slice.Start, slice.End) : null,
        };
        if (name.Also.Count > 0) json["also"] = new JsonArray([.. name.Also.Select(also => (JsonNode)also)]);
        return json;
    }
}
