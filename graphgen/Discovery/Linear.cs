using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>A product with a stored matrix and the bias behind it, in the canonical graph.</summary>
internal sealed record Linear
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

    public bool IsOutIn => Product.Int("transB", 0) == 1;

    public long In => Weight.Constant!.Dims[IsOutIn ? 1 : 0];

    public long Out => Weight.Constant!.Dims[IsOutIn ? 0 : 1];

    /// <summary>The linear layer whose result (after the bias) a value is.</summary>
    public static Linear? EndingAt(Value value) => value.Producer switch
    {
        null => null,
        { OpType: "Add", Domain: "" } add => WithBias(add),
        var node => Of(node),
    };

    /// <summary>The linear layer that starts at a node, with the bias that follows it.</summary>
    public static Linear? StartingAt(Node node)
    {
        if (Of(node) is not { BiasNode: null } plain) return Of(node);
        return node.Output.Uses is [{ Node: { OpType: "Add", Domain: "" } add }] && WithBias(add) is { } biased ? biased : plain;
    }

    private static Linear? Of(Node node)
    {
        if (node.Input(1) is not { IsConstant: true, Constant.Rank: 2 } || node.Input(0) is not { IsConstant: false }) return null;
        return node.Op switch
        {
            "MatMul" => new Linear { Product = node },
            "com.microsoft::FusedMatMul" when node.Float("alpha", 1) == 1 && node.Int("transA", 0) == 0 && node.Int("transBatchA", 0) == 0 && node.Int("transBatchB", 0) == 0 => new Linear { Product = node },
            "Gemm" when node.Float("alpha", 1) == 1 && node.Float("beta", 1) == 1 && node.Int("transA", 0) == 0 => OfGemm(node),
            _ => null,
        };
    }

    private static Linear? OfGemm(Node node)
    {
        var linear = new Linear { Product = node };
        if (node.Input(2) is not { } bias) return linear;
        return IsBias(bias, linear) ? linear with { BiasNode = node, BiasInput = 2 } : null;
    }

    private static Linear? WithBias(Node add)
    {
        for (var side = 0; side < 2; side++)
        {
            if (add.Inputs[1 - side]!.Producer is not { } producer || Of(producer) is not { BiasNode: null } linear) continue;
            if (IsBias(add.Inputs[side]!, linear)) return linear with { BiasNode = add, BiasInput = side };
        }
        return null;
    }

    private static bool IsBias(Value value, Linear linear) => value is { IsConstant: true, Constant: { Rank: 1 } tensor } && tensor.Count == linear.Out;
}
