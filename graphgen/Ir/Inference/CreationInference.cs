using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Operators that make tensors out of nothing but a shape.</summary>
internal static class CreationInference
{
    public static readonly InferenceRule[] All =
    [
        new("Constant", Constant),
        new("ConstantOfShape", ConstantOfShape),
        new("Range", Range),
        new("EyeLike", f => f.Set(0, Declared(f, f.Type(0)), f.Shape(0))),
        .. InferenceRule.For(
            f => f.Set(
                0, Declared(f, ElementType.Float), f.Node.Ints("shape") is { } shape ? [.. shape.Select(size => new Dim(size))] : null),
            "RandomNormal",
            "RandomUniform"),
        .. InferenceRule.For(f => f.Set(0, Declared(f, f.Type(0)), f.Shape(0)), "RandomNormalLike", "RandomUniformLike", "Bernoulli"),
        new("Multinomial", f => f.Set(0, Declared(f, ElementType.Int32), f.Shape(0, 1) is { } x ? [x[0], f.Int("sample_size", 1)] : null)),
    ];

    private static ElementType Declared(NodeFacts f, ElementType otherwise) => (ElementType)f.Int("dtype", (long)otherwise);

    private static void Constant(NodeFacts f)
    {
        foreach (var (name, attribute) in f.Node.Attributes)
        {
            switch (name, attribute.Value)
            {
                case ("value", OnnxTensor tensor): f.Set(0, tensor.Type, Tensors.Shape.Of(tensor), Contents.Of(tensor)); break;
                case ("value_int", long value): f.Set(0, ElementType.Int64, [], [value]); break;
                case ("value_ints", long[] values):
                    f.Set(0, ElementType.Int64, [values.Length], [.. values.Select(value => new Dim(value))]);
                    break;
                case ("value_float", float): f.Set(0, ElementType.Float, []); break;
                case ("value_floats", float[] values): f.Set(0, ElementType.Float, [values.Length]); break;
                case ("value_string", byte[]): f.Set(0, ElementType.String, []); break;
                case ("value_strings", byte[][] values): f.Set(0, ElementType.String, [values.Length]); break;
            }
        }
    }

    private static void ConstantOfShape(NodeFacts f)
    {
        var value = f.Node.Attributes.TryGetValue("value", out var attribute) ? attribute.Value as OnnxTensor : null;
        Shape? shape = f.Content(0) is { } content
            ? [.. content]
            : f.Shape(0) is [var rank] && rank.Value is { } known
                ? f.FreshShape(0, known)
                : null;
        var element = value is null ? null : Contents.Of(value);
        f.Set(
            0,
            value?.Type ?? ElementType.Float,
            shape,
            element is [var each] && shape?.Size.Value is >= 0 and <= Contents.Limit and var count
                ? [.. Enumerable.Repeat(each, (int)count)]
                : null);
    }

    // start, limit, delta → ⌈(limit − start)/delta⌉ numbers
    private static void Range(NodeFacts f)
    {
        if (f.Content(0) is [var start] && f.Content(1) is [var limit] && f.Content(2) is [var delta])
        {
            if (delta.Is(0)) throw f.Fail("its step is 0");
            var length = (limit - start).Value is { } span && delta.Value is { } step
                ? Math.Max(0, (span + step - Math.Sign(step)) / step)
                : delta.Is(1)
                    ? limit - start
                    : f.Fresh(0, 0);
            var elements = start.IsKnown && delta.IsKnown && length.Value is { } count and <= Contents.Limit
                ? Enumerable.Range(0, (int)count).Select(i => start + (delta * i)).ToArray()
                : null;
            f.Set(0, f.Type(0), [length], elements);
            return;
        }
        var known = Number(f.Node.Input(0)) is { } first && Number(f.Node.Input(1)) is { } last && Number(f.Node.Input(2)) is { } by
            ? new Dim((long)Math.Max(0, Math.Ceiling((last - first) / by)))
            : f.Fresh(0, 0);
        f.Set(0, f.Type(0), [known]);
    }

    private static double? Number(Value? value)
    {
        if (value?.StoredTensor() is not { Count: 1, Type: var type } tensor) return null;
        return type.IsFloat() || type is ElementType.Int16 or ElementType.Int32 or ElementType.Int64 ? tensor.ToFloats()[0] : null;
    }
}
