using LoRTA.Onnx.GraphGen.Canonical.Fused;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>The modules whose weights or biases lie packed in one tensor: Q, K and V of a fused attention.</summary>
internal static class PackedModules
{
    // What models call the three beside their output projection.
    private static readonly (string Output, string[] Inputs)[] Conventions =
    [
        ("attention.output.dense", ["attention.self.query", "attention.self.key", "attention.self.value"]),
        ("attention.out_lin", ["attention.q_lin", "attention.k_lin", "attention.v_lin"]),
        ("attn.out_proj", ["attn.q_proj", "attn.k_proj", "attn.v_proj"]),
        ("attn.o_proj", ["attn.q_proj", "attn.k_proj", "attn.v_proj"]),
    ];

    /// <summary>The modules with their widths in order; null where the tensor is that of one module.</summary>
    public static IReadOnlyList<(string Module, long Width)>? Of(Node node, Value tensor) => node.Op switch
    {
        OrtOps.Attention or OrtOps.QAttention => OfAttention(node, tensor),
        OrtOps.MultiHeadAttention => OfProducers(node),
        _ when Consumer(node) is { } attention => OfGroupQuery(node, attention),
        _ => null,
    };

    // Q|K|V in one weight and one bias: named after the output projection behind.
    private static (string, long)[]? OfAttention(Node node, Value tensor)
    {
        var total = tensor.Shape![-1].Value!.Value;
        var widths = FusedAttentionForms.PackedWidths(node, total);
        var output = node.Output.Uses.Select(use => ModuleScope.Of(use.Node)).FirstOrDefault(module => module is not null);
        var (suffix, inputs) = Conventions.FirstOrDefault(convention => output?.EndsWith(
            convention.Output, StringComparison.Ordinal) == true);
        return inputs is null ? [] : [.. inputs.Select((input, i) => (output![..^suffix.Length] + input, widths[i]))];
    }

    // The biases of three products that went into the operator.
    private static (string, long)[] OfProducers(Node node)
    {
        var products = node.Inputs.Take(3).Select(value => value?.Producer is { } producer
            && StoredTensor.Behind(producer.Input(1)) is { } weight
            ? (Module: ModuleScope.Of(producer), Width: weight.Initializer.Shape![weight.IsTransposed ? 0 : -1].Value!.Value)
            : (Module: null, Width: 0)).ToArray();
        return products.Any(product => product.Module is null)
            ? []
            : [.. products.Select(product => (ModuleScope.PyTorch(product.Module!), product.Width))];
    }

    // One product (and one bias) for a GroupQueryAttention without key and value inputs: N + 2·N_kv heads.
    private static (string, long)[]? OfGroupQuery(Node node, Node attention)
    {
        if (ModuleScope.Of(node) is not { } module
            || node.Inputs.Select(StoredTensor.Behind).FirstOrDefault(stored => stored is not null) is not { } tensor)
            return null;
        var (heads, kvHeads) = (attention.Int("num_heads", 1), attention.Int("kv_num_heads", 1));
        var width = node.Op == OrtOps.MatMulNBits ? node.Int("N", 0) : tensor.Initializer.Shape![-1].Value!.Value;
        var headSize = width / (heads + (2 * kvHeads));
        return [Part("q_proj", heads), Part("k_proj", kvHeads), Part("v_proj", kvHeads)];

        (string, long) Part(string name, long count) => (ModuleScope.PyTorch($"{ModuleScope.Parent(module)}.{name}"), count * headSize);
    }

    private static Node? Consumer(Node node)
    {
        for (var at = node; at.Outputs is [{ Uses: [var use] }];)
        {
            if (use.Node.Op == OrtOps.GroupQueryAttention) return use.Node.Input(1) is null && use.Index == 0 ? use.Node : null;
            if (use.Node.Op != "Add") return null;
            at = use.Node;
        }
        return null;
    }
}
