using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Cli;

/// <summary>The result of <c>lorta inspect</c>; a model without a layer that was understood fails.</summary>
/// <param name="Inspection">What was found.</param>
internal sealed record InspectResult(ModelInspection Inspection) : IVerdict, IDocument
{
    /// <summary>The model's parameters, if asked for.</summary>
    public IReadOnlyList<ParameterName>? Names { get; init; }

    /// <summary>Why pieces of the model were not understood, if asked for.</summary>
    public IReadOnlyList<Explanation>? Explanations { get; init; }

    /// <summary>Whether every linear layer is listed.</summary>
    public bool ShowsSites { get; init; }

    /// <summary>The tokenizer beside the model; null where there is none.</summary>
    public TokenizerFacts? Tokenizer { get; init; }

    /// <summary>Most tokens of a row, by the configuration beside the model and by its graph; null where neither says it.</summary>
    public long? Positions { get; init; }

    /// <summary>Bytes of the model's files.</summary>
    public long Bytes { get; init; }

    public bool Ok => Failure is null;

    public LortaException? Failure => Inspection.Failure;

    /// <summary>The contract's JSON.</summary>
    public JsonNode ToJson()
    {
        var json = Inspection.ToJson();
        (json["positions"], json["bytes"]) = (Positions, Bytes);
        json["tokenizer"] = JsonSerializer.SerializeToNode(Tokenizer, Results.Json);
        if (Names is not null)
            json["parameterNames"] = new JsonObject(Names.Select(name => KeyValuePair.Create(name.Name, (JsonNode?)Describe(name))));
        if (Explanations is not null)
        {
            json["forms"] = new JsonObject(Sites().Select(item => KeyValuePair.Create(
                item.Address, (JsonNode?)new JsonArray([.. item.Site!.Forms.Select(form => (JsonNode)form)]))));
            json["explanations"] = JsonSerializer.SerializeToNode(Explanations, Results.Json);
        }
        return json;
    }

    /// <summary>The model on one screen, and what else was asked for.</summary>
    public object ToTable()
    {
        var shown = new OrderedDictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, text) in InspectSummary.Of(this)) shown.Add(name, text);
        shown.Add("sites", ShowsSites ? Sites(understood: false).Select(item => Row(item.Address, item.Site)).ToList() : null);
        shown.Add("all findings", ShowsSites ? Inspection.Findings : null);
        shown.Add("forms", Explanations is null
            ? null
            : Sites().Select(item => new { Site = item.Address, Forms = string.Join(", ", item.Site!.Forms) }).ToList());
        shown.Add("explanations", Explanations?.Select(Describe).ToList());
        shown.Add("parameter names", Names?.Select(name => new { name.Name, name.Initializer, Transposed = name.IsTransposed }).ToList());
        return shown;
    }

    private IEnumerable<(string Address, ModelInspection.Site? Site)> Sites(bool understood = true) => Inspection.Layers
        .SelectMany(layer => layer.Sites.Where(item => item.Site is not null || !understood)
            .Select(item => ($"layers.{layer.Index}.{item.Name}", item.Site)));

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
