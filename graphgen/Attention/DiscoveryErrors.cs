using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;

namespace LoRTA.Onnx.GraphGen.Attention;

/// <summary>Failures of understanding a model.</summary>
internal static class DiscoveryErrors
{
    public static LortaException NoAttention(string path) =>
        new(
            "LRT201",
            $"{path}: no attention was found.",
            "Adapters change the linear layers of attention: choose a model that has some. `lorta inspect` shows what the file holds.");

    public static LortaException NotUnderstood(string path, IReadOnlyList<Finding> findings) =>
        new(
            "LRT202",
            $"{path}: attention was found but not understood: "
                + string.Join("; ", findings.Take(3).Select(finding => $"{finding.Node}: {finding.Reason}"))
                + (findings.Count > 3 ? $"; and {findings.Count - 3} more." : "."),
            "Choose targets and layers that are understood, or export the model with another exporter; "
                + "`lorta inspect --sites` lists all of it.");

    public static LortaException NoSite(string address, IReadOnlyList<Finding> findings)
    {
        var layer = $"{address[..address.LastIndexOf('.')]}:";   // findings about the MLP of a layer as a whole
        var why = (About(address) ?? About(layer)) is { } found
            ? $" ({found.Node}: {found.Reason})"
            : string.Empty;
        return new(
            "LRT204",
            $"{address}: this linear layer does not exist or was not understood{why}.",
            "Choose other targets or layers; `lorta inspect --sites` lists those of the file.");

        Finding? About(string what) => findings.FirstOrDefault(finding => finding.Reason.StartsWith(what, StringComparison.Ordinal));
    }

    public static LortaException MaskIsNoLength(string path, Node node, string mask, long row) =>
        new(
            "LRT207",
            $"{path}: {node} reads '{mask}' as lengths, but in row {row} it is not ones followed by zeros (padding on the left, or holes).",
            "Pad rows on the right, or use an export whose attention reads the mask itself.");
}
