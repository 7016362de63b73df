using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>The output of a product whose features belong to several projections: each gets its part, and whoever reads the whole reads
/// the parts joined again in the file's order.</summary>
internal static class PackedOutput
{
    /// <summary>Takes apart what is packed in a training copy so that no value holds one projection alone (BLOOM, GPT-NeoX).</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="map">What was found in it.</param>
    /// <param name="adapted">The matrices that are adapted: an MLP that is not stays as it is.</param>
    /// <returns>The outputs of these projections, by address.</returns>
    public static IReadOnlyDictionary<string, Value> TakeApart(Graph graph, AttentionMap map, IReadOnlyCollection<Projection> adapted)
    {
        var outputs = new Dictionary<string, Value>(StringComparer.Ordinal);
        var sites = map.Layers.SelectMany(layer => layer.Sites)
            .Where(site => site.IsPacked && (site.Heads is not null || adapted.Contains(site)));
        foreach (var packed in sites.GroupBy(site => site.Output))
        {
            var output = packed.Key;
            var readers = output.Uses.ToHashSet();
            var tape = new Tape(graph);
            using var scope = tape.Scope($"{output.Name}/parts");
            var (parts, joined) = TakeApart(tape[output], [.. packed.Select(site => site.Stored.Columns)]);
            graph.Splice(output, readers, joined.Value);
            foreach (var (site, part) in packed.Zip(parts)) outputs[site.Address] = part.Value;
        }
        if (outputs.Count > 0) graph.Sort();
        return outputs;
    }

    /// <summary>Writes the parts, and all of it again.</summary>
    /// <param name="whole">[.., features].</param>
    /// <param name="projections">The features of each projection.</param>
    public static (IReadOnlyList<Expr> Parts, Expr Joined) TakeApart(Expr whole, IReadOnlyList<FeatureRanges> projections)
    {
        var axis = whole.Rank - 1;
        FeatureRanges taken = [.. projections.SelectMany(ranges => ranges)];
        var rest = taken.Gaps(whole.Shape[-1].Value!.Value);
        if (taken.Count == 1 && rest.Count == 0) return ([whole], whole);

        var parts = projections.Select(ranges => Take(whole, ranges)).ToList();
        var all = projections.Zip(parts, (ranges, part) => (Ranges: ranges, Part: part)).ToList();
        foreach (var (start, end) in rest) all.Add(([(start, end)], whole.Slice(axis, start, end)));
        var inOrder = all.OrderBy(part => part.Ranges[0].Start).ToList();
        var joined = Expr.Concat(axis, [.. inOrder.Select(part => part.Part)]);
        FeatureRanges order = [.. inOrder.SelectMany(part => part.Ranges)];
        return (parts, order.IsAscending ? joined : joined.Take(PlacesOf(order), axis));
    }

    /// <summary>The features of one projection.</summary>
    public static Expr Take(Expr whole, FeatureRanges ranges) =>
        ranges is [var (start, end)] ? whole.Slice(whole.Rank - 1, start, end) : whole.Take([.. ranges.Numbers], whole.Rank - 1);

    // Where each feature, in the order of the file, stands among the joined parts.
    private static long[] PlacesOf(FeatureRanges order) =>
        [.. order.Numbers.Index().OrderBy(feature => feature.Item).Select(feature => (long)feature.Index)];
}
