using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of operators that pick elements by index, or put them there. Notation: x data, y output, g = ∂loss/∂y.</summary>
internal static class IndexingRules
{
    public static readonly GradientRule[] All =
    [
        new("Gather", Gather),
        new("GatherElements", r =>
        {
            var (x, index) = r;
            return [x.Zeros().ScatterAdd(index, r.G, r.Int("axis", 0)), null];
        }),
        new("GatherND", r => [AtPositions(r), null]),

        new("ScatterElements", ScatterElements),

        // y = x with u at places  ⇒  ū = g at the places, x̄ = g with 0 there (or g, where u was added)
        new("ScatterND", r =>
        {
            var (_, places, updates) = r;
            var taken = r.Tape.Op("GatherND", [r.G, places]);
            return r.String("reduction", "none") switch
            {
                "none" => [r.Tape.Op("ScatterND", [r.G, places, updates.Zeros()]), null, taken],   // a zero twice at one place is no race
                "add" => [r.G, null, taken],
                var other => throw r.Refusal($"its reduction is {other}"),
            };
        }),
        new("TopK", r => [r.X.Zeros().ScatterAdd(r.Output(1), r.G, r.Int("axis", -1)), null]),
        new("Compress", r => [AtPositions(r), null]),
        new("ReverseSequence", r => [r.Again(r.G), null]),   // its own inverse
    ];

    /// <summary>Zeros of x with g added wherever the operator took an element: it is run again, on the numbers of the elements of
    /// x.</summary>
    public static Expr AtPositions(GradientCall r)
    {
        var count = r.X.Size();
        var zero = r.Tape.Constant(OnnxTensor.Scalar(0L));
        var one = r.Tape.Constant(OnnxTensor.Scalar(1L));
        return AtPositions(r, r.Again(r.Tape.Op("Range", [zero, count, one]).ReshapeLike(r.X)));
    }

    /// <summary>Zeros of x with g added at the given elements of x, which are counted through all of it.</summary>
    public static Expr AtPositions(GradientCall r, Expr positions) =>
        Expr.Zeros(r.Tape, r.X.Size().Reshape(1), r.G.Type).ScatterAdd(positions.Reshape(-1), r.G.Reshape(-1), 0).ReshapeLike(r.X);

    /// <summary>Whether an expression is nothing but values put on zeros along an axis (as the gradient of a GatherElements is).</summary>
    public static bool IsScatterOnZeros(this Expr e, int axis, out Expr index, out Expr updates)
    {
        (index, updates) = (e, e);
        if (e.Value.Producer is not { Op: "ScatterElements" } node) return false;
        if (node.Input(0)!.Producer is not { Op: "ConstantOfShape" } zeros) return false;
        if (zeros.Attributes.TryGetValue("value", out var value) && ((OnnxTensor)value.Value).ToFloats()[0] != 0) return false;
        (index, updates) = (e.Tape[node.Input(1)!], e.Tape[node.Input(2)!]);
        return e.Shape.Axis(node.Int("axis", 0)) == axis;
    }

    // y = x with u at index (or added there)  ⇒  ū = g at index, x̄ = g with 0 at index (or g); what reaches a maximum or minimum shares g
    private static IReadOnlyList<Expr?> ScatterElements(GradientCall r)
    {
        var (x, index, updates) = r;
        var axis = r.Int("axis", 0);
        Expr Taken(Expr from) => r.Tape.Op("GatherElements", [from, index], ("axis", axis));
        switch (r.String("reduction", "none"))
        {
            case "none":
                return [r.Tape.Op("ScatterElements", [r.G, index, updates.Zeros()], ("axis", axis)), null, Taken(r.G)];
            case "add":
                return [r.G, null, Taken(r.G)];
            case "max" or "min":
                var (kept, put) = (x.Apply("Equal", r.Y).Cast(r.G.Type), updates.Apply("Equal", Taken(r.Y)).Cast(r.G.Type));
                var share = r.G / kept.ScatterAdd(index, put, axis);
                return [share * kept, null, Taken(share) * put];
            case var other:
                throw r.Refusal($"its reduction is {other}");
        }
    }

    // y = x at index along an axis  ⇒  x̄ = zeros with g added at index; the axes of the index are one axis for that.
    private static IReadOnlyList<Expr?> Gather(GradientCall r)
    {
        var (x, index) = r;
        var axis = r.Axis("axis", 0);
        var rest = x.Shape.Skip(axis + 1).Select(dim => dim.Value).ToArray();
        if (index.Rank > 1 && rest.Contains(null)) return [AtPositions(r), null];
        var rows = index.Rank switch
        {
            0 => r.G.Unsqueeze(axis),
            1 => r.G,
            _ => r.G.Reshape([.. Enumerable.Repeat(0L, axis), -1, .. rest.Select(size => size!.Value)]),
        };
        long[] alongAxis = [.. Enumerable.Repeat(1L, axis), -1, .. Enumerable.Repeat(1L, rest.Length)];
        return [x.Zeros().ScatterAdd(index.Reshape(alongAxis).ExpandLike(rows), rows, axis), null];
    }
}
