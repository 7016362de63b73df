using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A linear layer of a graph, where an adapter joins it.</summary>
/// <param name="Input">x, features last, float32.</param>
/// <param name="Output">y after the bias, features last, float32; of a packed product this layer's features alone.</param>
/// <param name="Product">The node that applies W to the rows of its first input.</param>
internal sealed record LinearPort(Value Input, Value Output, Node Product)
{
    /// <summary>This layer's features in the output of <see cref="Product"/>; null = all.</summary>
    public FeatureRanges? Columns { get; init; }

    /// <summary>Where the bias is read: by the product itself, or by the sum behind it; null without bias.</summary>
    public Use? BiasUse { get; init; }

    /// <summary>Reads W, [in, out].</summary>
    public Func<OnnxTensor>? Weight { get; init; }

    /// <summary>Why the layer cannot be run on anything but its own input; null = it can.</summary>
    public Func<Exception>? Obstacle { get; init; }

    /// <summary>The layer of a canonical graph.</summary>
    /// <param name="deployed">The model whose file holds W.</param>
    /// <param name="linear">The layer.</param>
    /// <param name="output">y of this layer alone.</param>
    public static LinearPort Of(OnnxModel deployed, Projection linear, Value output)
    {
        var product = linear.Product.Producer!;
        return new(linear.Input, output, product)
        {
            Columns = linear.Product.Shape?[-1].Value == linear.Out ? null : linear.Stored.Columns,
            BiasUse = linear.Bias?.Uses.Cast<Use?>().First(use => IsOf(product, use!.Value.Node)),
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

    /// <summary>rows·W.</summary>
    public Expr Apply(Expr rows) => OwnFeatures(Run(rows, withBias: false));

    /// <summary>x·W + b.</summary>
    public Expr Replace(Expr x)
    {
        var y = Run(x, withBias: true);
        if (BiasUse is { } bias && bias.Node != Product) y += y.Tape[bias.Node.Input(bias.Index)!].Cast(ElementType.Float);
        return OwnFeatures(y);
    }

    /// <summary>b of this layer alone, as the graph has it now: it may be trained.</summary>
    public Expr? Bias(Tape tape) =>
        BiasUse is { } bias ? OwnFeatures(tape[bias.Node.Input(bias.Index)!].Cast(ElementType.Float).Reshape(-1)) : null;

    private static bool IsOf(Node product, Node reader) => reader == product || reader.Inputs.Contains(product.Output);

    private Expr Run(Expr rows, bool withBias)
    {
        if (Obstacle is { } obstacle) throw obstacle();
        var (tape, type) = (rows.Tape, Product.Input(0)!.Type);
        var inputs = Product.Inputs.Select(input => input is null ? (Expr?)null : tape[input]).ToList();
        inputs[0] = rows.Cast(type);
        if (!withBias && BiasUse is { } bias && bias.Node == Product) inputs[bias.Index] = null;
        while (inputs[^1] is null) inputs.RemoveAt(inputs.Count - 1);
        (string, Attr?)[] attributes = [.. Product.Attributes.Select(attribute => (attribute.Key, (Attr?)attribute.Value))];
        return tape.Op(Product.Op, [.. inputs], attributes).Cast(ElementType.Float);
    }

    private Expr OwnFeatures(Expr features) => Columns is null ? features : PackedOutput.Take(features, Columns);
}
