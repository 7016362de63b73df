using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>A bias that the exporter left out because it was zero: the product of its layer is there, the addition is not.</summary>
internal static class OmittedBias
{
    private const string BiasSuffix = ".bias";
    private const string WeightSuffix = ".weight";

    /// <summary>Adds an input <c>param.&lt;name&gt;</c> to the layer's output and gives its first value, zeros.</summary>
    public static OnnxTensor Insert(CanonicalModel canonical, Tape tape, IReadOnlyList<ParameterName> names, string name)
    {
        var product = Product(canonical.Deployed, names, name)!;
        var output = tape.Graph.Find(product.Output.Name)!;
        var width = output.Shape![-1].Value!.Value;
        var readers = output.Uses.ToHashSet();
        var bias = tape.Graph.AddInput(new TensorName(TensorKind.Parameter, name), ElementType.Float, [width]);
        tape.Graph.Splice(output, readers, (tape[output] + tape[bias]).Value);
        return OnnxTensor.Of<float>([width], new float[width]);
    }

    /// <summary>Writes the trained bias into a copy of a deployed file, as an Add behind the product.</summary>
    public static void Write(OnnxModel deployed, OnnxModel copy, IReadOnlyList<ParameterName> names, (string Name, OnnxTensor Value) bias)
    {
        var graph = copy.Graph;
        var tape = new Tape(graph, onnxOnly: true);
        var output = graph.Find(Product(deployed, names, bias.Name)!.Output.Name)!;   // the copy's weight may be another one by now
        var readers = output.Uses.ToHashSet();
        using var scope = tape.Scope(bias.Name);
        graph.Splice(output, readers, (tape[output] + tape.Constant(bias.Value, bias.Name)).Value);
        graph.Sort();
    }

    /// <summary>The weight of the layer whose bias has this name.</summary>
    public static string WeightOf(string bias) => bias[..^BiasSuffix.Length] + WeightSuffix;

    /// <summary>The one product of the layer's weight, if no stored vector is added to it.</summary>
    public static Node? Product(OnnxModel deployed, IReadOnlyList<ParameterName> names, string name)
    {
        if (!name.EndsWith(BiasSuffix, StringComparison.Ordinal)) return null;
        var weight = names.FirstOrDefault(candidate => candidate.Name == WeightOf(name));
        return weight is null
            ? null
            : Products(deployed.Graph.Find(weight.Initializer)!).ToList() is [var single] && !HasBias(single)
                ? single
                : null;
    }

    private static bool HasBias(Node product) =>
        product.Output.Uses.Any(use => use.Node.Op == "Add" && use.Node.Inputs[1 - use.Index]!.StoredTensor() is { Rank: 1 });

    private static IEnumerable<Node> Products(Value weight) =>
        from use in StoredPath.ReadersOf(weight)
        where use.Node.Op == "MatMul" || (use.Node.Op == "Gemm" && use.Index == 1 && use.Node.Input(2) is null)
        select use.Node;
}
