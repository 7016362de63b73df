using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>A product with a stored matrix and the bias behind it, in the canonical graph.</summary>
internal sealed record LinearLayer
{
    public required Node Product { get; init; }

    /// <summary>The node that adds the bias (Gemm itself, or an Add); null without bias.</summary>
    public Node? BiasNode { get; init; }

    /// <summary>Which input of <see cref="BiasNode"/> is the bias.</summary>
    public int BiasInput { get; init; }

    public Value Input => Product.Inputs[0]!;

    public Value Weight => Product.Inputs[1]!;

    public Value? Bias => BiasNode?.Inputs[BiasInput];

    /// <summary>y: the product, after the bias if there is one.</summary>
    public Value Output => (BiasNode ?? Product).Output;

    public Layout Layout => IsBlocked ? Layout.OutIn : Layouts.OfTransB(Product.Int("transB", 0));

    public long In => IsBlocked ? Product.Int("K", 0) : Weight.Shape![Layout is Layout.OutIn ? 1 : 0].Value!.Value;

    public long Out => IsBlocked ? Product.Int("N", 0) : Weight.Shape![Layout is Layout.OutIn ? 0 : 1].Value!.Value;

    /// <summary>The constant that stores the weight: itself, or the codes that it is dequantised from.</summary>
    public Value Stored => Weight.IsConstant ? Weight : Weight.Producer!.Input(0)!;

    /// <summary>The value that a scale of the whole weight goes into: itself, or the scales beside the codes of
    /// <c>MatMulNBits</c>.</summary>
    public Value Scales => IsBlocked ? Product.Input(2)! : Weight;

    /// <summary>The node that reads the codes and their scales; null for a weight that is not quantised.</summary>
    public Node? Quantized => IsBlocked ? Product : Weight.Producer;

    private bool IsBlocked => Product.Op == OrtOps.MatMulNBits;

    /// <summary>The linear layer whose result (after the bias) a value is.</summary>
    public static LinearLayer? EndingAt(Value value) => value.Producer switch
    {
        null => null,
        { Op: "Add" } add => WithBias(add),
        var node => Of(node),
    };

    /// <summary>The linear layer that starts at a node, with the bias that follows it.</summary>
    public static LinearLayer? StartingAt(Node node)
    {
        if (Of(node) is not { BiasNode: null } plain) return Of(node);
        return node.Output.Uses is [{ Node: { Op: "Add" } add }] && WithBias(add) is { } biased ? biased : plain;
    }

    private static LinearLayer? Of(Node node)
    {
        if (node.Input(0) is not { IsConstant: false } || node.Input(1) is not { } weight) return null;
        if (node.Op == OrtOps.MatMulNBits) return weight.IsConstant && node.Input(4) is null ? WithOwnBias(node, 5) : null;
        if (weight is not { IsConstant: true, Constant.Rank: 2 }
            && !(LateDequantize.IsDequantized(weight) && weight.Shape is { Rank: 2, Known: not null }))
            return null;
        return node.Op switch
        {
            "MatMul" => new LinearLayer { Product = node },
            OrtOps.FusedMatMul when node.Float("alpha", 1) == 1
                && node.Int("transA", 0) == 0
                && node.Int("transBatchA", 0) == 0
                && node.Int("transBatchB", 0) == 0 =>
                new LinearLayer { Product = node },
            "Gemm" when node.Float("alpha", 1) == 1 && node.Float("beta", 1) == 1 && node.Int("transA", 0) == 0 => WithOwnBias(node, 2),
            _ => null,
        };
    }

    private static LinearLayer? WithOwnBias(Node node, int input)
    {
        var linear = new LinearLayer { Product = node };
        if (node.Input(input) is not { } bias) return linear;
        return IsBias(bias, linear) ? linear with { BiasNode = node, BiasInput = input } : null;
    }

    private static LinearLayer? WithBias(Node add)
    {
        for (var side = 0; side < 2; side++)
        {
            if (add.Inputs[1 - side]!.Producer is not { } producer || IsSeenWithoutBias(producer.Output)
                || Of(producer) is not { BiasNode: null } linear) continue;
            if (IsBias(add.Inputs[side]!, linear)) return linear with { BiasNode = add, BiasInput = side };
        }
        return null;
    }

    // Whoever sees the product without its bias, a graph output among them, must see its adapter too.
    private static bool IsSeenWithoutBias(Value product) =>
        product.Uses.Count(use => use.Node.Op != "Shape") > 1 || product.Producer!.Graph!.IsKnownByName(product);

    private static bool IsBias(Value value, LinearLayer linear) =>
        value is { IsConstant: true, Constant: { Rank: >= 1 } tensor } && tensor.Count == linear.Out && tensor.Dims[^1] == linear.Out;
}
