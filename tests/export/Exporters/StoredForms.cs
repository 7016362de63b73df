using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Says in a few words how a file stores the weights of its attention.</summary>
internal static class StoredForms
{
    /// <summary>A phrase for the matrices of each form: <c>q k v `MatMul`, packed</c>. Layers of other forms add theirs.</summary>
    public static IReadOnlyList<string> Of(OnnxModel model, ModelInspection inspection) =>
        [.. inspection.Layers.SelectMany(layer => OfLayer(model, inspection, layer)).Distinct(StringComparer.Ordinal)];

    private static IEnumerable<string> OfLayer(OnnxModel model, ModelInspection inspection, ModelInspection.Layer layer)
    {
        var sites = new[] { ("q", layer.Q), ("k", layer.K), ("v", layer.V), ("p", layer.P) }.Where(item => item.Item2 is not null).Select(item => (Letter: item.Item1, Site: item.Item2!)).ToList();
        return sites
            .GroupBy(item => Form(model, item.Site, sites.Count(other => other.Site.Weight == item.Site.Weight), Uses(inspection, item.Site)), StringComparer.Ordinal)
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
        inspection.Layers.Count(layer => new[] { layer.Q, layer.K, layer.V, layer.P }.Any(other => other is not null && other.Weight == site.Weight));
}
