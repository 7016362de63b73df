using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Arithmetic on the known elements of small integer tensors: shapes on their way from <c>Shape</c> to <c>Reshape</c>.</summary>
internal static class Contents
{
    /// <summary>More elements than this are no shape.</summary>
    public const int Limit = 64;

    /// <summary>The elements of a value, symbolic ones included; null where one of them is not known.</summary>
    public static IReadOnlyList<Dim>? Of(Value value) => value.IsStored ? Of(value.Constant!) : value.Content;

    /// <summary>The elements of a small integer tensor.</summary>
    public static IReadOnlyList<Dim>? Of(OnnxTensor tensor) =>
        tensor.Count <= Limit && tensor.Type is ElementType.Int64 or ElementType.Int32 or ElementType.Bool
            ? [.. tensor.ToLongs().Select(value => new Dim(value))]
            : null;

    /// <summary>Elements one by one, a single one against all; null where the operation has no answer.</summary>
    public static IReadOnlyList<Dim>? Zip(IReadOnlyList<Dim>? a, IReadOnlyList<Dim>? b, Func<Dim, Dim, Dim?> operation)
    {
        if (a is null || b is null || (a.Count != b.Count && a.Count != 1 && b.Count != 1)) return null;
        var result = new Dim[a.Count == 0 || b.Count == 0 ? 0 : Math.Max(a.Count, b.Count)];
        for (var i = 0; i < result.Length; i++)
        {
            if (operation(a[a.Count == 1 ? 0 : i], b[b.Count == 1 ? 0 : i]) is not { } element) return null;
            result[i] = element;
        }
        return result;
    }

    /// <summary>Elements one by one; null where the operation has no answer.</summary>
    public static IReadOnlyList<Dim>? Map(IReadOnlyList<Dim>? elements, Func<Dim, Dim?> operation)
    {
        var results = elements?.Select(operation).ToList();
        return results is null || results.Contains(null) ? null : [.. results.Select(result => result!.Value)];
    }

    /// <summary>Whether a number is above zero (1, 0); null for sizes that are only symbols.</summary>
    public static Dim? IsPositive(Dim difference) => difference.Value is { } value ? (value > 0 ? 1 : 0) : null;

    /// <summary>Integer quotient: of numbers towards zero, of sizes where it is exact, else a symbol named after both.</summary>
    public static Dim? Quotient(Dim a, Dim b) => (a.Value, b.Value) switch
    {
        (_, 0) => null,
        ({ } x, { } y) => x / y,
        _ => Dim.Divide(a, b) ?? (a.IsSize && b.IsSize ? Dim.Symbol($"({a})/({b})") : null),
    };

    /// <summary>Whether two are equal (1, 0), as far as that holds for all sizes: a size is never negative.</summary>
    public static Dim? AreEqual(Dim a, Dim b) => (a - b).Value switch
    {
        0 => 1,
        { } => 0,
        null => (a.IsSize && b.Value < 0) || (b.IsSize && a.Value < 0) ? 0 : null,
    };

    /// <summary>The smaller of two, where it is the same one for all sizes.</summary>
    public static Dim? Smaller(Dim a, Dim b) => (b - a).IsSize ? a
        : (a - b).IsSize ? b
        : null;

    /// <summary>The larger of two, where it is the same one for all sizes.</summary>
    public static Dim? Larger(Dim a, Dim b) => (b - a).IsSize ? b
        : (a - b).IsSize ? a
        : null;
}
