using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using Attributes = (string Name, LoRTA.Onnx.GraphGen.Ir.OnnxAttribute Value)[];

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Another way to write the products of a model with their stored matrices; what the model computes stays.</summary>
/// <param name="Name">What it is called in test reports.</param>
/// <param name="Rewrite">Writes one product anew: the graph, the node, W [in, out].</param>
internal sealed record WeightSpelling(string Name, Func<SpelledProduct, bool> Rewrite)
{
    /// <summary>Whether stored numbers are rounded to 16 bits or fewer.</summary>
    public bool IsRounded { get; init; }

    /// <summary>Whether it is a scale behind a layer without bias: not the weight's, so that the adapter is that of the stored numbers.</summary>
    public bool IsBehindLayers { get; init; }

    /// <summary>Rewrites every product of a stored matrix.</summary>
    /// <returns>The number of products rewritten.</returns>
    public int Apply(OnnxModel model)
    {
        var graph = model.Graph;
        model.OpsetVersions["com.microsoft"] = 1;
        var products = graph.Nodes.Where(node => node.Op is "MatMul" or "Gemm" && node.Input(1)?.StoredTensor() is { Rank: 2, Type: ElementType.Float }).ToList();
        var count = products.Count(node => Rewrite(new SpelledProduct(graph, node)));
        graph.RemoveUnused();
        graph.Sort();
        return count;
    }

    public override string ToString() => Name;
}

/// <summary>A product with a stored matrix that is about to be written in another way.</summary>
internal sealed class SpelledProduct(Graph graph, Node node)
{
    private readonly Value _weight = node.Input(1)!;

    public long In => Dims[IsOutIn ? 1 : 0];

    public long Out => Dims[IsOutIn ? 0 : 1];

    public bool IsGemm => node.Op == "Gemm";

    public Value X => node.Input(0)!;

    public Node Node => node;

    /// <summary>Where the bias is added: the node and which of its inputs the bias is; null without bias.</summary>
    public (Node Node, int Input)? Bias => IsGemm
        ? node.Input(2) is null ? null : (node, 2)
        : node.Output.Uses is [{ Node: { Op: "Add" } add, Index: var index }] && add.Input(1 - index)!.StoredTensor() is { Rank: 1 } ? (add, 1 - index) : null;

    private bool IsOutIn => node.Int("transB", 0) == 1;

    private IReadOnlyList<long> Dims => _weight.StoredTensor()!.Dims;

    /// <summary>W [in, out].</summary>
    public float[] W => IsOutIn ? Transposed(_weight.StoredTensor()!.ToFloats(), Out, In) : _weight.StoredTensor()!.ToFloats();

    /// <summary>W scaled by 1/s(i, j), so that a scale s gives it back.</summary>
    public float[] Over(Func<long, long, float> scale)
    {
        var w = W;
        for (var i = 0L; i < In; i++)
            for (var j = 0L; j < Out; j++) w[(i * Out) + j] /= scale(i, j);
        return w;
    }

    public float[] OutIn(float[] w) => Transposed(w, In, Out);

    public Value Stored(float[] numbers, params long[] dims) => Stored(OnnxTensor.Of<float>(dims, numbers));

    public Value Stored(OnnxTensor tensor) => graph.AddConstant($"{_weight.Name}/stored", tensor);

    public Value Longs(params long[] values) => graph.AddConstant($"{_weight.Name}/longs", OnnxTensor.Vector<long>(values));

    public Value Op(string op, IEnumerable<Value?> inputs, params Attributes attributes)
    {
        var name = op.Split("::")[^1];
        var output = graph.AddValue($"{node.Label}/{name}");
        var added = new Node(name, op.Contains("::", StringComparison.Ordinal) ? "com.microsoft" : string.Empty, inputs, [output]) { Name = output.Name };
        foreach (var (attribute, value) in attributes) added.Attributes[attribute] = value;
        graph.InsertBefore(added, node);
        return added.Output;
    }

    /// <summary>Unsqueeze and Squeeze take their axes as an attribute before opset 13.</summary>
    public Value Axis(string op, Value value, long opset, params long[] axes) => opset < 13 ? Op(op, [value], ("axes", axes)) : Op(op, [value, Longs(axes)]);

    /// <summary>Gives the product another weight [in, out].</summary>
    public bool Weight(Value weight)
    {
        node.SetInput(1, weight);
        node.Attributes.Remove("transB");
        return true;
    }

    /// <summary>Lets another value stand for the product, under its name.</summary>
    public bool Product(Value product)
    {
        var name = node.Output.Name;
        graph.ReplaceUses(node.Output, product);
        graph.Remove(node);
        graph.Rename(product, name);
        product.Producer!.Name = node.Name;
        return true;
    }

    public Value Plain(Value weight) => Op("MatMul", [X, weight]);

    private static float[] Transposed(float[] values, long rows, long columns)
    {
        var result = new float[values.Length];
        for (var i = 0L; i < rows; i++)
            for (var j = 0L; j < columns; j++) result[(j * rows) + i] = values[(i * columns) + j];
        return result;
    }
}
