using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A linear layer of a graph, where an adapter joins it.</summary>
/// <param name="Input">x, features last, float32.</param>
/// <param name="Output">y after the bias, features last, float32; of a packed product this layer's features alone.</param>
/// <param name="Whole">y of all features of the product.</param>
internal sealed record LinearPort(Value Input, Value Output, Value Whole)
{
    /// <summary>This layer's features in <see cref="Whole"/>; null = all.</summary>
    public FeatureRanges? Columns { get; init; }

    /// <summary>Where the bias is read: by the product itself, or by the sum behind it; null without bias.</summary>
    public Use? BiasUse { get; init; }

    /// <summary>Reads W, [in, out].</summary>
    public Func<OnnxTensor>? Weight { get; init; }

    /// <summary>What the layer reads of the file, where that is x in another type or with its axes in another order.</summary>
    public Value? Source { get; init; }

    /// <summary>The order of axes that makes x of <see cref="Source"/>; null where they are in order.</summary>
    public int[]? Order { get; init; }

    /// <summary>W of all features, dequantised, where the product takes integers only; null elsewhere.</summary>
    public Func<Expr>? Dequantized { get; init; }

    /// <summary>The failure where the layer does not give what an adapter asks for, of the reason.</summary>
    public Func<string, Exception> Obstacle { get; init; } = why => new InvalidOperationException(why);

    /// <summary>The layer of a canonical graph.</summary>
    /// <param name="deployed">The model whose file holds W.</param>
    /// <param name="linear">The layer.</param>
    /// <param name="output">y of this layer alone.</param>
    public static LinearPort Of(OnnxModel deployed, Projection linear, Value output)
    {
        var product = linear.Product.Producer!;
        var bias = linear.Bias?.Uses.Cast<Use?>().First(use => IsOf(product, use!.Value.Node));
        return new(linear.Input, output, bias?.Node.Output ?? product.Output)
        {
            Columns = linear.Product.Shape?[-1].Value == linear.Out ? null : linear.Stored.Columns,
            BiasUse = bias,
            Weight = () => NumbersOf(deployed, linear),
        };
    }

    /// <summary>W of a layer, [in, out].</summary>
    public static OnnxTensor NumbersOf(OnnxModel deployed, Projection linear) =>
        OnnxTensor.Of<float>([linear.In, linear.Out], BaseModels.Matrix(deployed, linear).Read());

    /// <summary>‖W‖ of each output, [out], of W [in, out].</summary>
    public static OnnxTensor ColumnNorms(OnnxTensor weight)
    {
        var numbers = weight.Span<float>();
        var squares = new double[weight.Dims[1]];
        for (var at = 0; at < numbers.Length; at += squares.Length)
            for (var j = 0; j < squares.Length; j++) squares[j] += (double)numbers[at + j] * numbers[at + j];
        return OnnxTensor.Of<float>([squares.Length], Array.ConvertAll(squares, square => (float)Math.Sqrt(square)));
    }

    /// <summary>rows·W, rows [n, in]; nothing is rounded on the way.</summary>
    public Expr Apply(Expr rows)
    {
        if (Dequantized is { } weight) return OwnFeatures(rows.MatMul(weight()));
        var axes = Math.Max(0, (Input.Shape?.Rank ?? 2) - 2);
        var x = axes == 0 ? rows : rows.Reshape([.. Enumerable.Repeat(1L, axes), -1, rows.Shape[-1].Value!.Value]);
        return OwnFeatures(On(x, (node, inputs) => WithoutBiasAndRounding(rows.Tape, node, inputs))).Rows();
    }

    /// <summary>x·W + b by the layer's own operators, rounded where they round.</summary>
    public Expr Replace(Expr x) => OwnFeatures(On(x, (_, _) => null));

    /// <summary>b of this layer alone, as the graph has it now: it may be trained.</summary>
    public Expr? Bias(Tape tape)
    {
        if (BiasUse is not { } use) return null;
        var bias = tape[use.Node.Input(use.Index)!];
        if (!bias.Type.IsFloat()) throw Obstacle("the adapter scales the layer's bias, which is stored in integers");
        var added = OwnFeatures(bias.Cast(ElementType.Float).Reshape(-1));
        return use.Node.Op == "Gemm" && use.Node.Float("beta", 1) is var beta and not 1 ? added * beta : added;
    }

    private static bool IsOf(Node product, Node reader) => reader == product || reader.Inputs.Contains(product.Output);

    private Expr On(Expr x, Func<Node, Expr?[], Expr?> write)
    {
        var source = Source ?? Input;
        if (Order is { } order) x = x.MoveAxes([.. order.Index().OrderBy(axis => axis.Item).Select(axis => axis.Index)]);
        return PathCopy.Of(source, x.Cast(source.Type), Whole, write)
            ?? throw Obstacle("the adapter runs the layer on other rows, and this operator takes its own input only");
    }

    private Expr? WithoutBiasAndRounding(Tape tape, Node node, Expr?[] inputs)
    {
        if (node.Op is "QuantizeLinear" or "DequantizeLinear" or OrtOps.QuantizeLinear or OrtOps.DequantizeLinear) return inputs[0];
        var bias = BiasUse?.Node == node ? BiasUse?.Index : null;
        if (bias is null && node.Op != OrtOps.MatMulNBits) return null;
        if (node.Op == "Add") return inputs[1 - bias!.Value];
        if (bias is { } index) inputs[index] = null;
        var given = Array.FindLastIndex(inputs, input => input is not null) + 1;
        // level 4 rounds rows to 8 bits
        IReadOnlyList<(string, OnnxAttribute?)> exact = node.Op == OrtOps.MatMulNBits ? [("accuracy_level", 1)] : [];
        return tape[PathCopy.CopyOf(tape, node, inputs.AsSpan(0, given), exact).Output];
    }

    private Expr OwnFeatures(Expr features) => Columns is null ? features : PackedOutput.Take(features, Columns);
}
