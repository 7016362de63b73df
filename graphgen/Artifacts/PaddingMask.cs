using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Whether a mask of attention keeps real tokens from looking at the padding on their right.</summary>
internal static class PaddingMask
{
    // What a file masks a score with is at least this far below what it leaves alone.
    private const float Masked = 1000;

    // A mask that is computed from sizes alone is causal where it compares positions or cuts a triangle.
    private static readonly string[] Comparisons = ["Trilu", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"];

    /// <summary>A mask that the inputs decide, or a causal one. Nothing, or a mask of constants that shows later tokens, does
    /// not.</summary>
    public static bool Covers(Value? mask) => mask switch
    {
        null => false,
        { Constant: { } constant } => IsCausal(constant),
        _ => Ancestors(mask).Any(value => value.IsInput || (value.Producer is { } node && Comparisons.Contains(node.Op))
            || value is { Constant: { Rank: >= 2 } table } && IsCausal(table)),
    };

    // The values that the numbers of a mask come from; its sizes alone do not count.
    private static IEnumerable<Value> Ancestors(Value mask)
    {
        var (open, seen) = (new Stack<Value>([mask]), new HashSet<Value>());
        while (open.TryPop(out var value))
        {
            if (!seen.Add(value)) continue;
            yield return value;
            if (value.Producer is not { } node || node.Op is "Shape" or "Size") continue;
            foreach (var input in node.Inputs.OfType<Value>()) open.Push(input);
        }
    }

    // Numbers or conditions [.., S, T]: everything right of the diagonal differs from the diagonal as masked scores differ from visible
    // ones.
    private static bool IsCausal(OnnxTensor mask)
    {
        if (mask.Rank < 2 || mask.Dims[^1] != mask.Dims[^2] || mask.Dims[^1] < 2) return false;
        var (size, numbers) = ((int)mask.Dims[^1], mask.ToFloats());
        var gap = mask.Type.IsFloat() ? Masked : 0.5f;
        for (var row = 0; row < numbers.Length / size; row++)
        {
            var diagonal = (row * size) + (row % size);
            for (var at = diagonal + 1; at < (row + 1) * size; at++)
                if (!(MathF.Abs(numbers[diagonal] - numbers[at]) > gap)) return false;
        }
        return true;
    }
}
