using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Views;

/// <summary>Results that are known before the graph runs: constants of the canonical graph.</summary>
/// <remarks>Weights behind Cast or Transpose are widened or transposed once, when someone first asks for their numbers: ONNX Runtime would
/// do it per session and keep the copy to itself.</remarks>
internal static class ConstantForms
{
    public static readonly Form[] All =
    [
        new Replace("constant node", "Constant", Stored),
        new Replace("known integers", null, KnownIntegers),
        new Replace("transposed constant", "Transpose", Transposed),
        new Replace("converted constant", "Cast", Converted),
        new Replace("converted constant", "CastLike", Converted),
        .. ViewOps.OpsWith(ViewEffect.Shape).Select(op => new Replace("constant of another shape", op, Reshaped)),
        .. new[] { "Sqrt", "Reciprocal", "Neg", "Add", "Sub", "Mul", "Div" }
            .Select(op => new Replace("arithmetic on stored numbers", op, Arithmetic)),
    ];

    private static Outcome Stored(Node node, Rewriting rewriting)
    {
        if (node.ConstantTensor() is not { } tensor) return "it holds text";
        rewriting.Constant(node, tensor);
        return Outcome.Done;
    }

    private static Outcome KnownIntegers(Node node, Rewriting rewriting)
    {
        if (node.Outputs.Count != 1 || rewriting.Graph.IsOutput(node.Output) || node.Output.Shape?.Known is not { } dims)
            return "it is an output of the graph, or its shape is not known";
        if (node.Output.Content is not { } content || content.Any(dim => !dim.IsKnown)) return "its elements are not known";
        var numbers = content.Select(dim => dim.Value!.Value).ToArray();
        if (Integers(node.Output.Type, dims, numbers) is not { } tensor) return "its elements are not integers";
        rewriting.Constant(node, tensor);
        return Outcome.Done;
    }

    private static Outcome Transposed(Node node, Rewriting rewriting)
    {
        if (node.Input(0) is not { IsConstant: true, Constant: { Rank: >= 2 } stored } || stored.Type.Bits() < 8)
            return "what it transposes is not stored, or stored in packed codes";
        if (stored.Rank > 2) return TransposedMatrix(node, stored, rewriting);
        if (node.Ints("perm") is [0, 1]) return "it keeps the order of the axes";
        rewriting.View(
            node, "T", () => OnnxTensor.Computed(stored.Type, [stored.Dims[1], stored.Dims[0]], () => TensorAxes.Transposed(stored)));
        return Outcome.Done;
    }

    // A matrix with further axes of length 1.
    private static Outcome TransposedMatrix(Node node, OnnxTensor stored, Rewriting rewriting)
    {
        if (node.Output.Shape?.Known is not { } dims
            || StoredAxes.Of(stored.Dims).Transpose(node.Ints("perm"))?.Matrix() is not var (isTransposed, rows, columns))
            return "what it transposes is not a matrix with further axes of length 1";
        rewriting.View(node, $"T[{string.Join(',', dims)}]", () => isTransposed
            ? OnnxTensor.Computed(stored.Type, dims, () => TensorAxes.Transposed(stored.WithDims([rows, columns])))
            : stored.WithDims(dims));
        return Outcome.Done;
    }

    private static Outcome Converted(Node node, Rewriting rewriting)
    {
        var (input, type) = (node.Operand(0), node.Output.Type);
        if (!input.IsConstant || input.Type == type) return "what it converts is not stored, or has the type already";
        var stored = input.Constant!;
        if (type == ElementType.Float && (stored.Type.IsFloat() || stored.Type is ElementType.Int64 or ElementType.Int32))
            rewriting.View(
                node,
                "float",
                () => OnnxTensor.Computed(type, [.. stored.Dims], () => WeightView.Round(stored.ToFloats(), ElementType.Float)));
        else return "ONNX Runtime converts these types when it runs";
        return Outcome.Done;
    }

    private static Outcome Reshaped(Node node, Rewriting rewriting)
    {
        if (node.Input(0) is not { IsConstant: true, Constant: { } stored } || node.Output.Shape?.Known is not { } dims)
            return "what it shows is not stored, or the shape is not known";
        rewriting.View(node, $"[{string.Join(',', dims)}]", () => stored.WithDims(dims));
        return Outcome.Done;
    }

    // Single numbers only, in the file's own precision: √ and ÷ are exact roundings in every runtime.
    private static Outcome Arithmetic(Node node, Rewriting rewriting)
    {
        if (node.Output.Type != ElementType.Float || node.Output.Shape?.Known is not { } dims)
            return "it computes with other numbers than float32";
        if (node.Inputs.Any(input => input is not { IsConstant: true, Constant: { Count: 1, Type: ElementType.Float } }))
            return "its operands are not single stored numbers";
        var operands = node.Inputs.Select(input => input!.Constant!.Span<float>()[0]).ToArray();
        var result = (node.Op, operands) switch
        {
            ("Sqrt", [var a]) => MathF.Sqrt(a),
            ("Reciprocal", [var a]) => 1 / a,
            ("Neg", [var a]) => -a,
            ("Add", [var a, var b]) => a + b,
            ("Sub", [var a, var b]) => a - b,
            ("Mul", [var a, var b]) => a * b,
            ("Div", [var a, var b]) => a / b,
            _ => float.NaN,
        };
        rewriting.Constant(node, OnnxTensor.Of<float>(dims, [result]));
        return Outcome.Done;
    }

    private static OnnxTensor? Integers(ElementType type, long[] dims, long[] numbers) => type switch
    {
        ElementType.Int64 => OnnxTensor.Of<long>(dims, numbers),
        ElementType.Int32 => OnnxTensor.Of<int>(dims, Array.ConvertAll(numbers, number => (int)number)),
        ElementType.Bool => OnnxTensor.Of<bool>(dims, Array.ConvertAll(numbers, number => number != 0)),
        _ => null,
    };
}
