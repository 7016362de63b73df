using System.Text.RegularExpressions;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Cli;

/// <summary>What a person should know of a model, short enough for one screen.</summary>
internal static partial class InspectSummary
{
    private const int MostFindings = 5;
    private const string NoTasks = "none that train: no output has the shape of logits (a model without a head)";

    /// <summary>The rows of the summary: name and text.</summary>
    public static IEnumerable<(string Name, string? Text)> Of(InspectResult result)
    {
        var found = result.Inspection;
        var opset = found.Opsets.GetValueOrDefault("ai.onnx");
        yield return ("model", $"{found.Model} ({found.Producer}, opset {opset}, {Numbers.Bytes(result.Bytes)})");
        yield return ("architecture", Architecture(found));
        yield return ("parameters", Numbers.Text(found.Parameters));
        yield return ("inputs", Ports(found.Inputs));
        yield return ("outputs", Ports(found.Outputs));
        yield return ("tasks", found.Tasks.Count > 0 ? string.Join(", ", found.Tasks) : NoTasks);
        yield return ("positions", result.Positions is { } positions ? $"{Numbers.Text(positions)} at most" : "not stated");
        yield return ("tokenizer", Tokenizer(result.Tokenizer));
        yield return ("layers", Layers(found.Layers));
        yield return ("attention", Attention(found.Layers));
        yield return ("findings", Findings(found));
        yield return ("more", result.ShowsSites ? null : "--sites lists every matrix, --weights the parameters, --help all options");
    }

    private static string Architecture(ModelInspection found)
    {
        if (found.Layers.Count == 0) return found.Findings.Count == 0 ? "no attention" : "attention that was not understood";
        var heads = found.Heads == found.KvHeads ? string.Empty : $" ({found.KvHeads} for keys and values)";
        return $"{(found.IsCausal ? "decoder" : "encoder")}, {Count(found.Layers.Count, "layer")} of width {found.Hidden}, "
            + $"{Count(found.Heads, "head")} of {found.HeadWidth}{heads}";
    }

    private static string Tokenizer(TokenizerFacts? tokenizer) => tokenizer switch
    {
        null => "none in the model's folder",
        { Problem: { } problem } => problem,
        _ => $"{tokenizer.Kind}, {Numbers.Text(tokenizer.Vocabulary ?? 0)} tokens ({tokenizer.File})",
    };

    // Those of one type and shape are one line, and those whose names differ behind a number only (a key/value cache) one word.
    private static string Ports(IReadOnlyList<ModelInspection.Port> ports) =>
        string.Join('\n', ports.GroupBy(port => $"{port.Type} {Shape(port)}").Select(alike => $"{Names(alike)} {alike.Key}"));

    private static string Names(IEnumerable<ModelInspection.Port> ports) =>
        string.Join(", ", ports.GroupBy(port => Digit().Split(port.Name)[0])
            .Select(alike => alike.Count() == 1 ? alike.First().Name : $"{alike.Count()} × {alike.Key}N…"));

    private static string Shape(ModelInspection.Port port) =>
        port.Shape is { } sizes ? $"[{string.Join(", ", sizes.Select(size => FormattableString.Invariant($"{size}")))}]" : "of any shape";

    // Layers that are alike are one line, wherever they lie.
    private static string Layers(IReadOnlyList<ModelInspection.Layer> layers) =>
        string.Join('\n', layers.GroupBy(Describe).Select(alike => alike.Count() == layers.Count || alike.Count() > 1
            ? $"{alike.Count()} × {alike.Key}"
            : $"layer {alike.First().Index}: {alike.Key}"));

    private static string Describe(ModelInspection.Layer layer)
    {
        var understood = layer.Sites.Where(item => item.Site is not null).ToList();
        var sizes = string.Join(", ", layer.Sites.Select(item =>
            item.Site is { } site ? $"{item.Name} {site.In}→{site.Out}" : $"{item.Name} not understood"));
        var types = understood.GroupBy(item => item.Site!.Quantization?.Kind ?? item.Site!.StoredType).ToList();
        var stored = types.ConvertAll(type => types.Count == 1 ? type.Key : $"{type.Key} ({Names(type)})");
        var packed = understood.GroupBy(item => item.Site!.Weight).Where(alike => alike.Count() > 1)
            .Select(alike => $"{Names(alike)} packed");
        return string.Join("; ", [sizes, .. stored, .. packed]);
    }

    private static string Names(IEnumerable<(string Name, ModelInspection.Site? Site)> items) =>
        string.Join(" ", items.Select(item => item.Name));

    private static string? Attention(IReadOnlyList<ModelInspection.Layer> layers)
    {
        var operators = layers.Select(layer => layer.Q?.Attention).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        return operators.Count == 0 ? null : string.Join(", ", operators);
    }

    // Reasons that differ by names and numbers only are one line.
    private static string? Findings(ModelInspection found)
    {
        var groups = found.Findings.GroupBy(finding => Particulars().Replace(finding.Reason, "…"))
            .Select(alike => alike.Count() == 1
                ? $"{alike.First().Node}: {alike.First().Reason}"
                : $"{alike.Count()} × {alike.First().Reason} (first: {alike.First().Node})")
            .ToList();
        if (groups.Count > MostFindings)
            groups = [.. groups.Take(MostFindings), $"and {groups.Count - MostFindings} more: --sites lists them"];
        return groups.Count == 0 ? null : string.Join('\n', groups);
    }

    private static string Count(int count, string one) => $"{count} {one}{(count == 1 ? string.Empty : "s")}";

    [GeneratedRegex("[0-9]")]
    private static partial Regex Digit();

    [GeneratedRegex("'[^']*'|[0-9]+")]
    private static partial Regex Particulars();
}
