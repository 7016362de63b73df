using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>One attention: out = softmax(q·k + mask)·v, whatever scales and casts lie between.</summary>
internal sealed record AttentionCore
{
    /// <summary>The softmax.</summary>
    public required Node Softmax { get; init; }

    /// <summary>The product of queries and keys.</summary>
    public required Node Scores { get; init; }

    /// <summary>The product of probabilities and values.</summary>
    public required Node Context { get; init; }

    /// <summary>Queries [.., S, Dh], scaled where the file scales them.</summary>
    public Value Q => Scores.Inputs[0]!;

    /// <summary>Keys, transposed to [.., Dh, T] unless the product transposes them.</summary>
    public Value K => Scores.Inputs[1]!;

    /// <summary>Values [.., T, Dh].</summary>
    public Value V => Context.Inputs[1]!;

    /// <summary>What is added to the scores, or the condition that chooses between them and a large negative number; null where nothing is
    /// masked.</summary>
    public required Value? Mask { get; init; }

    /// <summary>What lies between the scores and the softmax, in the order of the data: scales, masks, changes of type.</summary>
    public required IReadOnlyList<Node> BeforeSoftmax { get; init; }

    /// <summary>What lies between the softmax and the product with the values, in the order of the data.</summary>
    public required IReadOnlyList<Node> AfterSoftmax { get; init; }

    /// <summary>The result [.., S, Dh].</summary>
    public Value Out => Context.Output;

    /// <summary>The same attention in a copy of its graph.</summary>
    public AttentionCore CopyIn(ModelCopy copy) => new()
    {
        Softmax = copy[Softmax],
        Scores = copy[Scores],
        Context = copy[Context],
        Mask = Mask is null ? null : copy[Mask],
        BeforeSoftmax = [.. BeforeSoftmax.Select(node => copy[node])],
        AfterSoftmax = [.. AfterSoftmax.Select(node => copy[node])],
    };
}
