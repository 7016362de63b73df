using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention;

/// <summary>A linear layer of attention or of an MLP, y = x·W + b: where it is in the canonical graph and where it lies in the deployed
/// file.</summary>
/// <param name="Layer">Index of the layer, in the order of the data.</param>
/// <param name="Matrix">q, k, v or p (the output projection); gate, up or down.</param>
public sealed record Projection(int Layer, string Matrix)
{
    /// <summary>Canonical address, the same whichever exporter wrote the file: <c>layers.3.q</c>.</summary>
    public string Address => $"layers.{Layer}.{Matrix}";

    /// <summary>x of the canonical graph, [.., in].</summary>
    public required Value Input { get; init; }

    /// <summary>y of the canonical graph after the bias, [.., out]: of a packed product this site's slice where the graph has one,
    /// otherwise all of it. An adapter's result takes its place.</summary>
    public required Value Output { get; init; }

    /// <summary>Whether no value of the canonical graph holds the features of this site alone, such as where heads of several matrices
    /// interleave.</summary>
    public bool IsPacked { get; init; }

    /// <summary>Output of the product itself, before the bias and all features of a packed one.</summary>
    public required Value Product { get; init; }

    /// <summary>W of the canonical graph, in the given <see cref="Layout"/>; of a packed product all of it.</summary>
    public required Value Weight { get; init; }

    /// <summary>How <see cref="Weight"/> lies.</summary>
    public required Layout Layout { get; init; }

    /// <summary>b of the canonical graph, [out]; null without bias.</summary>
    public required Value? Bias { get; init; }

    /// <summary>Input width.</summary>
    public required int In { get; init; }

    /// <summary>Output width.</summary>
    public required int Out { get; init; }

    /// <summary>Heads that one side is split into: query heads for q and p, key/value heads for k and v; null in an MLP.</summary>
    public required int? Heads { get; init; }

    /// <summary>Operator of the attention of its layer, in the deployed file: Softmax where attention is in pieces.</summary>
    public required string Attention { get; init; }

    /// <summary>The forms that lie between attention and this layer, from attention on.</summary>
    public required IReadOnlyList<string> Forms { get; init; }

    /// <summary>Where it lies in the deployed file.</summary>
    public required StoredPlace Stored { get; init; }

    /// <summary>The same layer in a copy of its graph.</summary>
    internal Projection CopyIn(ModelCopy copy) => this with
    {
        Input = copy[Input],
        Output = copy[Output],
        Product = copy[Product],
        Weight = copy[Weight],
        Bias = Bias is null ? null : copy[Bias],
    };
}
