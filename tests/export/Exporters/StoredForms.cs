using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Inspection;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Says in a few words how a file stores the weights of its attention and of its MLPs.</summary>
internal static class StoredForms
{
    /// <summary>A phrase for the matrices of each form: <c>q k v `MatMul`, packed</c>. Layers of other forms add theirs.</summary>
    public static IReadOnlyList<string> Of(OnnxModel model, ModelInspection inspection) => Of(model, inspection, Attention);

    /// <summary>The same of gate, up and down.</summary>
    public static IReadOnlyList<string> OfMlp(OnnxModel model, ModelInspection inspection) => Of(model, inspection, Mlp);

    private static IReadOnlyList<string> Of(OnnxModel model, ModelInspection inspection, Func<ModelInspection.Layer, IEnumerable<(string Letter, ModelInspection.Site? Site)>> part) =>
        [.. inspection.Layers.SelectMany(layer => OfLayer(model, inspection, layer, part)).Distinct(StringComparer.Ordinal)];

    private static IEnumerable<(string Letter, ModelInspection.Site? Site)> Attention(ModelInspection.Layer layer) => [("q", layer.Q), ("k", layer.K), ("v", layer.V), ("p", layer.P)];

    private static IEnumerable<(string Letter, ModelInspection.Site? Site)> Mlp(ModelInspection.Layer layer) => [("gate", layer.Gate), ("up", layer.Up), ("down", layer.Down)];

    private static List<ModelInspection.Site> All(ModelInspection.Layer layer) => [.. Attention(layer).Concat(Mlp(layer)).Select(item => item.Site).OfType<ModelInspection.Site>()];

    private static IEnumerable<string> OfLayer(OnnxModel model, ModelInspection inspection, ModelInspection.Layer layer, Func<ModelInspection.Layer, IEnumerable<(string Letter, ModelInspection.Site? Site)>> part)
    {
        var all = All(layer);
        return part(layer).Where(item => item.Site is not null).Select(item => (item.Letter, Site: item.Site!))
            .GroupBy(item => Form(model, item.Site, all.Count(other => other.Weight == item.Site.Weight), Uses(inspection, item.Site)), StringComparer.Ordinal)
            .Select(group => $"{string.Join(' ', group.Select(item => item.Letter))}: {group.Key}");
    }

    private static string Form(OnnxModel model, ModelInspection.Site site, int matrices, int layers)
    {
        var type = model.Graph.Find(site.Weight)!.StoredTensor()!.Type;
        return string.Join(", ", new[]
        {
            string.Join(" → ", site.Through.Append(site.Op).Select(op => $"`{op}`")),
            site.Quantization?.Kind ?? (type == ElementType.Float ? null : type.Display()),
            matrices > 1 ? "packed" : null,
            layers > 1 ? "shared by layers" : null,
        }.Where(part => part is not null));
    }

    // Layers whose weight lies in the same place.
    private static int Uses(ModelInspection inspection, ModelInspection.Site site) =>
        inspection.Layers.Count(layer => All(layer).Any(other => other.Weight == site.Weight));
}
