using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using static LoRTA.Onnx.GraphGen.Canonical.Patterns;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>The way from attention to a projection.</summary>
/// <param name="Linear">The projection; null where the walk did not get there.</param>
/// <param name="Values">The values passed, from attention on.</param>
/// <param name="Steps">The steps taken, each from one value to the next.</param>
/// <param name="Closest">For a failed walk: the step that came closest, where one matched in part.</param>
internal sealed record Walk(Linear? Linear, IReadOnlyList<Value> Values, IReadOnlyList<Step> Steps, string? Closest)
{
    private static readonly Pattern X = Hole("X");

    /// <summary>Backwards from queries, keys and values.</summary>
    private static readonly Step[] TowardsProjection =
    [
        new("rotary embedding", Rotary(X)),
        new("partial rotary embedding", Op("Concat", Rotary(Part(X)), Part(X)) | Op("Concat", Part(X), Rotary(Part(X)))),
        new("norm of each head", Op("LayerNormalization", X) | Op("SimplifiedLayerNormalization", X)),
        new("key/value cache", Op("Concat", GraphInput, X)) { EndsHeads = true },
        new("repeat heads", Op("Expand", X) | Op("Tile", X)) { EndsHeads = true },
        new("add or drop an axis", Op("Unsqueeze", X) | Op("Squeeze", X), FeatureGrid.Reshape),
        new("split or merge heads", Op("Reshape", X), FeatureGrid.Reshape),
        new("move axes", Op("Transpose", X), FeatureGrid.Transpose),
        new("scale", Op("Mul", X, Scalar) | Op("Div", X, Scalar)),
        new("change of type", Op("Cast", X)),
        new("one of several", Op("Split", X) with { AnyOutput = true } | Op("Slice", X) | Op("Gather", X, Where(index => index.IsConstant)), FeatureGrid.Choose),
    ];

    private static readonly Step[] TowardsOutput =
    [
        new("move axes", Op("Transpose", X)),
        new("merge heads", Op("Reshape", X) | Op("Squeeze", X)),
        new("change of type", Op("Cast", X)),
    ];

    /// <summary>Walks backwards from a value of attention to the projection that made it.</summary>
    public static Walk Back(Value from)
    {
        var (values, steps) = (new List<Value> { from }, new List<Step>());
        while (true)
        {
            var at = values[^1];
            if (Linear.EndingAt(at) is { } linear) return new Walk(linear, values, steps, null);
            if (TowardsProjection.Select(step => (step, match: step.Pattern.Match(at))).FirstOrDefault(found => found.match is not null) is not ({ } taken, { } bound))
                return new Walk(null, values, steps, ClosestTo(at));
            steps.Add(taken);
            values.Add(bound["X"]);
        }
    }

    /// <summary>Walks forwards from the result of attention to the projection that takes it.</summary>
    public static Walk Forward(Value from)
    {
        var (values, steps) = (new List<Value> { from }, new List<Step>());
        while (true)
        {
            var at = values[^1];
            var readers = at.Uses.Select(use => use.Node).Where(node => !node.Is("Shape")).Distinct().ToList();
            if (readers is not [var reader]) return new Walk(null, values, steps, $"{readers.Count} nodes read it");
            if (Linear.StartingAt(reader) is { } linear && linear.Input == at) return new Walk(linear, values, steps, null);
            if (TowardsOutput.FirstOrDefault(step => step.Pattern.Match(reader.Output)?["X"] == at) is not { } taken) return new Walk(null, values, steps, $"{reader} reads it");
            steps.Add(taken);
            values.Add(reader.Output);
        }
    }

    // x∘cos + rotated(x)∘sin, the halves turned; or both halves written out and joined.
    private static Pattern Rotary(Pattern x)
    {
        var turned = Op("Concat", Negative(Part(x)), Part(x)) |
                     Op("Reshape", Op("Concat", Op("Unsqueeze", Negative(Part(x))), Op("Unsqueeze", Part(x))));
        var halves = Op("Concat", Op("Sub", Op("Mul", Part(x), Any), Op("Mul", Part(x), Any)), Op("Add", Op("Mul", Part(x), Any), Op("Mul", Part(x), Any)));
        return Op("Add", Op("Mul", x, Any), Op("Mul", turned, Any)) | halves;
    }

    private static Pattern Negative(Pattern x) => Op("Neg", x) | Op("Mul", x, Number(-1));

    private static Pattern Part(Pattern x) => Op("Slice", x) | Op("Split", x) with { AnyOutput = true };

    private static string? ClosestTo(Value value)
    {
        var tried = TowardsProjection.Select(step => (step.Name, Operators: OperatorsOf(step.Pattern, value))).MaxBy(step => step.Operators);
        return tried.Operators > 0 ? $"closest step: {tried.Name}, of which {tried.Operators} operators fit" : null;
    }

    private static int OperatorsOf(Pattern pattern, Value value)
    {
        var trace = new PatternTrace();
        _ = pattern.Match(value, Bindings.Tracing(trace)).Any();
        return trace.Operators;
    }
}
