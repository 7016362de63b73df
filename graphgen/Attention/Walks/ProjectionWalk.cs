using LoRTA.Onnx.GraphGen.Canonical.Pieces;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;
using static LoRTA.Onnx.GraphGen.Patterns.Patterns;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>The way from attention to a projection, or from an MLP's activation or the sum behind it to one of its linear layers.</summary>
/// <param name="Linear">The linear layer; null where the walk did not get there.</param>
/// <param name="Values">The values passed, from attention on.</param>
/// <param name="Steps">The steps taken, each from one value to the next.</param>
/// <param name="Closest">For a failed walk: the step that came closest, where one matched in part.</param>
internal sealed record ProjectionWalk(LinearLayer? Linear, IReadOnlyList<Value> Values, IReadOnlyList<WalkStep> Steps, NearMiss? Closest)
{
    /// <summary>The step that rotates queries and keys by their position.</summary>
    public const string RotaryEmbedding = "rotary embedding";

    /// <summary>The step that normalises each head.</summary>
    public const string NormOfHead = "norm of each head";

    /// <summary>The step that multiplies all numbers by one.</summary>
    public const string Scale = "scale";

    private static readonly Pattern X = Hole("X");
    private static readonly Pattern SplitHeads = Hole("X", Where("heads on an axis of their own", value => value.Shape is { Rank: >= 4 }));
    private static readonly Pattern ProductBefore =
        Hole("X", Where("a product without bias", value => LinearLayer.EndingAt(value) is not null));
    private static readonly Pattern Branched =
        Hole("X", Where("a linear layer with a branch next to it", value => SideBranch.LayerBeside(value) is not null));
    private static readonly Pattern Cache = Where("a cache that is an input of the graph", value => IsCache(value, 0));

    /// <summary>Backwards from queries, keys and values.</summary>
    private static readonly WalkStep[] TowardsProjection =
    [
        new(NormOfHead, Op("LayerNormalization", X) | Op("SimplifiedLayerNormalization", X)
            | NormForms.OverRoot(X)) { Computes = true, CompletesKeys = true },
        new("key/value cache", Op("Concat", Cache, X)) { EndsHeads = true, CompletesKeys = true },
        new("repeat heads", Op("Expand", SplitHeads) | Op("Tile", SplitHeads)) { EndsHeads = true },
        new("add or drop an axis", Op("Unsqueeze", X) | Op("Squeeze", X), FeatureFlow.Reshape),
        new("split or merge heads", Op("Reshape", X), FeatureFlow.Reshape),
        new("move axes", Op("Transpose", X), FeatureFlow.Transpose),
        new(Scale, Op("Mul", X, Scalar) | Op("Div", X, Scalar)) { Computes = true },
        new("scale of each feature", Op("Mul", ProductBefore, Constant) | Op("Div", ProductBefore, Constant))
            { Computes = true, CompletesKeys = true },
        new("limits", Op("Clip", X) | Op("Max", X, Scalar) | Op("Min", X, Scalar)) { Computes = true, CompletesKeys = true },
        new("bias of each head", Op("Add", X, Constant)) { CompletesKeys = true },
        new("side branch", Leading("X", "a linear layer with a branch next to it", SideBranch.LayerUnder)) { CompletesKeys = true },
        new("change of type", Op("Cast", X)),
        new("one of several", Chosen(X), FeatureFlow.Choose),
        new(RotaryEmbedding, RotaryRegion.Pattern, RotaryRegion.Move) { Computes = true, CompletesKeys = true },
    ];

    private static readonly WalkStep[] TowardsOutput =
    [
        new("move axes", Op("Transpose", X), FeatureFlow.Transpose),
        new("merge heads", Op("Reshape", X) | Op("Squeeze", X) | Op("Unsqueeze", X), FeatureFlow.Reshape),
        new("change of type", Op("Cast", X)),
        new("gate", Op("Mul", X, Any)),
        new("norm", Op("LayerNormalization", X) | Op("SimplifiedLayerNormalization", X)),
    ];

    /// <summary>Backwards from a value that one part of an MLP's first product goes into.</summary>
    private static readonly WalkStep[] TowardsPart =
    [
        new("split or merge axes", Op("Reshape", X) | Op("Unsqueeze", X) | Op("Squeeze", X), FeatureFlow.Reshape),
        new("move axes", Op("Transpose", X), FeatureFlow.Transpose),
        new("side branch", Leading("X", "a linear layer with a branch next to it", SideBranch.LayerBeside)),
        new("bias behind a branch", Op("Add", Branched, Constant)),
        new("change of type", Op("Cast", X)),
        new("one of several", Chosen(X), FeatureFlow.Choose),
    ];

    /// <summary>Backwards from the sum in which an MLP joins the stream.</summary>
    private static readonly WalkStep[] TowardsDown =
    [
        new("norm", Op("LayerNormalization", X) | Op("SimplifiedLayerNormalization", X) | NormForms.OverRoot(X)),
        new("merge or move rows", Op("Reshape", X) | Op("Squeeze", X) | Op("Unsqueeze", X) | Op("Transpose", X)),
        new(Scale, Op("Mul", X, Scalar) | Op("Div", X, Scalar)),
        new("scale of each feature", Op("Mul", X, Constant) | Op("Div", X, Constant)),
        new("side branch", Leading("X", "a linear layer with a branch next to it", SideBranch.LayerUnder)),
        new("bias behind a branch", Op("Add", Branched, Constant)),
        new("change of type", Op("Cast", X)),
    ];

    /// <summary>Where the steps backwards are listed.</summary>
    public static string PlaceOfStepsBack => SourceFile.Place(typeof(ProjectionWalk), nameof(TowardsProjection));

    /// <summary>Where the steps forwards are listed.</summary>
    public static string PlaceOfStepsForward => SourceFile.Place(typeof(ProjectionWalk), nameof(TowardsOutput));

    /// <summary>Where the steps from the stream to an MLP are listed.</summary>
    public static string PlaceOfStepsDown => SourceFile.Place(typeof(ProjectionWalk), nameof(TowardsDown));

    /// <summary>Walks backwards from a value of attention to the projection that made it.</summary>
    public static ProjectionWalk Back(Value from) => Back(from, TowardsProjection);

    /// <summary>Walks backwards from a value of an MLP to the linear layer that made it, or that it is a part of.</summary>
    public static ProjectionWalk BackToPart(Value from) => Back(from, TowardsPart);

    /// <summary>Walks backwards from a branch that joins the stream to the linear layer at its end.</summary>
    public static ProjectionWalk BackToDown(Value from) => Back(from, TowardsDown);

    private static ProjectionWalk Back(Value from, IReadOnlyList<WalkStep> table)
    {
        var (values, steps) = (new List<Value> { from }, new List<WalkStep>());
        while (true)
        {
            var at = values[^1];
            if (LinearLayer.EndingAt(at) is { } linear) return new ProjectionWalk(linear, values, steps, null);
            if (table.Select(step => (step, match: step.Pattern.Match(at)))
                .FirstOrDefault(found => found.match is not null) is not ({ } taken, { } bound))
                return new ProjectionWalk(
                    null, values, steps, NearMiss.At(at, table.Select(step => (step.Name, step.Pattern))));
            steps.Add(taken);
            values.Add(bound["X"]);
        }
    }

    /// <summary>Walks forwards from the result of attention to the projection that takes it.</summary>
    public static ProjectionWalk Forward(Value from)
    {
        var (values, steps) = (new List<Value> { from }, new List<WalkStep>());
        while (true)
        {
            var at = values[^1];
            var readers = ReadersOf(at);
            if (readers.Count > 1 && SideBranch.LayerOn(at, readers) is { } layer) return new ProjectionWalk(layer, values, steps, null);
            if (readers is not [var reader]) return new ProjectionWalk(null, values, steps, null);
            if (LinearLayer.StartingAt(reader) is { } linear && linear.Input == at) return new ProjectionWalk(linear, values, steps, null);
            if (TowardsOutput.FirstOrDefault(step => step.Pattern.Match(reader.Output, Bindings.None)
                .Any(bound => bound["X"] == at)) is not { } taken)
                return new ProjectionWalk(null, values, steps, null);
            steps.Add(taken);
            values.Add(reader.Output);
        }
    }

    /// <summary>The nodes that compute with a value, not only with its shape.</summary>
    public static IReadOnlyList<Node> ReadersOf(Value value) =>
        [.. value.Uses.Select(use => use.Node).Where(node => node.Op != "Shape").Distinct()];

    private static Pattern Chosen(Pattern x) => Op("Split", x) with { AnyOutput = true } | Op("Slice", x) | Op("Gather", x, Constant);

    // One of several stacked caches, in other axes, counts as well.
    private static bool IsCache(Value value, int depth) =>
        value.IsInput
            || (depth < 4
                && value.Producer is { Op: "Gather" or "Slice" or "Split" or "Squeeze" or "Reshape" or "Transpose" or "Cast" } node
                && IsCache(node.Input(0)!, depth + 1));
}
