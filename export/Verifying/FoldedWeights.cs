using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>How a file stores the weights that an adapter was folded into.</summary>
internal static class FoldedWeights
{
    private const int Few = 8;

    /// <summary>Whether an adapter was folded into weights of 8 bits or fewer, as opposed to weights of more bits, or kept beside the
    /// base's.</summary>
    /// <param name="a">The base.</param>
    /// <param name="b">The exported file.</param>
    /// <param name="adapted">Addresses of the adapted layers.</param>
    public static bool AreOfFewBits(OnnxModel a, CanonicalModel b, IReadOnlyCollection<string> adapted)
    {
        var sites = AttentionMap.Of(b).Layers.SelectMany(layer => layer.Sites).Where(site => adapted.Contains(site.Address));
        var narrow = sites.Select(site => site.Stored).Where(stored => stored.Codes is { Bits: <= Few }).ToList();
        return narrow.Count > 0 && !(IsExtended(a, b.Deployed) && narrow.All(stored => IsUntouched(a, b.Deployed, stored)));
    }

    // Folding changes numbers and no operators; an adapter beside its base adds operators and changes no numbers.
    private static bool IsExtended(OnnxModel a, OnnxModel b) => b.Graph.Nodes.Count() > a.Graph.Nodes.Count();

    private static bool IsUntouched(OnnxModel a, OnnxModel b, StoredPlace stored) =>
        new[] { stored.Weight, stored.Codes!.Scales }.All(name => a.Graph.Find(name)?.StoredTensor() is { } before
            && before.ByteCount == b.Graph.Find(name)!.StoredTensor()!.ByteCount
            && before.Bytes.SequenceEqual(b.Graph.Find(name)!.StoredTensor()!.Bytes));
}
