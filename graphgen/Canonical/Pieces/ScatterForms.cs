using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>A <c>ScatterND</c> that adds (or multiplies, …) becomes <c>ScatterElements</c>: where places repeat, ONNX Runtime's kernel
/// has a race between threads, and each run gives other sums (onnxruntime issues 18048, 23396).</summary>
internal static class ScatterForms
{
    public static readonly Form[] All =
    [
        new Refuse("sums at places", "ScatterND", (node, at) => IsSum(node) && DepthOf(node) is null
            ? at.Refusal(node, "it adds at places of an unknown number of axes")
            : null),
        new Replace("sums at places", "ScatterND", Reduced),
    ];

    private static Outcome Reduced(Node node, Rewriting rewriting)
    {
        if (!IsSum(node)) return "it replaces elements and adds nothing";
        return rewriting.Substitute(node, (_, at) =>
            [Sums(
                at.Tape[node.Operand(0)],
                at.Tape[node.Operand(1)],
                at.Tape[node.Operand(2)],
                (int)DepthOf(node)!.Value,
                node.Attributes["reduction"])]);
    }

    private static bool IsSum(Node node) => node.String("reduction", "none") is not "none";

    private static long? DepthOf(Node node) =>
        node.Input(0)?.Shape is { } data && node.Input(1)?.Shape is { Rank: > 0 } places && places[-1].Value is { } depth
        && depth >= 1 && depth <= data.Rank
            ? depth
            : null;

    // The data as rows over their first axes, places [.., depth] as numbers of rows: ((p₀·d₁ + p₁)·d₂ + p₂) …
    private static Expr Sums(Expr data, Expr places, Expr updates, int depth, OnnxAttribute reduction)
    {
        var row = Place(0);
        for (var axis = 1; axis < depth; axis++) row = (row * data.SizeOf(axis)) + Place(axis);
        var (rows, added) = (data.Apply("Flatten", ("axis", depth)), updates.Apply("Flatten", ("axis", places.Rank - 1)));
        var index = row.Apply("Flatten", ("axis", places.Rank - 1)).ExpandLike(added);
        return data.Tape.Op("ScatterElements", [rows, index, added], ("axis", 0), ("reduction", reduction)).ReshapeLike(data);

        // negative places count from the end
        Expr Place(int axis)
        {
            var place = places.Slice(-1, axis, axis + 1);
            return (place + data.SizeOf(axis)).Where(place.Apply("Less", place.Tape.Longs(0)), place);
        }
    }
}
