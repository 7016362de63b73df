using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>A matrix of attention, found at the end of a walk.</summary>
/// <param name="Matrix">q, k or v.</param>
/// <param name="Linear">The product that makes it.</param>
/// <param name="Features">Which of the product's features are its.</param>
/// <param name="Forms">Names of the steps of the walk, from attention on.</param>
internal sealed record Projection(string Matrix, Linear Linear, Features Features, IReadOnlyList<string> Forms);

/// <summary>Products in which the heads of several matrices interleave (BLOOM, GPT-NeoX): taken apart behind the product, and put back in the file's order for those who read it.</summary>
internal static class Interleaved
{
    /// <summary>Gives each projection an output [.., features] of its own.</summary>
    public static IReadOnlyList<Projection> TakeApart(Graph graph, IReadOnlyList<Projection> projections)
    {
        if (projections.All(HasOutput)) return projections;
        var result = new List<Projection>();
        foreach (var packed in projections.GroupBy(projection => projection.Linear.Output)) result.AddRange(packed.All(HasOutput) ? packed : TakeApart(graph, packed.Key, [.. packed]));
        graph.Sort();
        return result;

        static bool HasOutput(Projection projection) => projection.Features.Output is not null;
    }

    private static IEnumerable<Projection> TakeApart(Graph graph, Value output, IReadOnlyList<Projection> packed)
    {
        var (tape, readers, axis) = (new Tape(graph), output.Uses.ToHashSet(), output.Rank - 1);
        using var scope = tape.Scope($"{output.Name}/parts");
        var own = packed.Select(projection => projection.Features.Columns.Numbers.ToArray()).ToList();
        FeatureRanges taken = [.. packed.SelectMany(projection => projection.Features.Columns)];
        var rest = taken.Gaps(packed[0].Linear.Out).Numbers.ToArray();
        var parts = own.Select(columns => tape[output].Take(columns, axis)).ToList();
        var order = own.SelectMany(columns => columns).Concat(rest).ToList();
        var joined = Expr.Concat(axis, [.. parts, .. rest.Length > 0 ? [tape[output].Take(rest, axis)] : Array.Empty<Expr>()]);
        var back = joined.Take([.. order.Index().OrderBy(item => item.Item).Select(item => (long)item.Index)], axis);
        graph.Splice(output, readers, back.Value);
        return packed.Zip(parts, (projection, part) => projection with { Features = projection.Features with { Output = part.Value } });
    }
}
