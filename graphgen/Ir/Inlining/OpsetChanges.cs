using System.Globalization;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir.Inlining;

/// <summary>Whether a function's nodes mean the same among the model's: it may import other versions of the operator sets.</summary>
internal static class OpsetChanges
{
    // Versions of ONNX's own set at which an operator came, or was written in another way from then on.
    private static readonly Dictionary<string, long[]> Versions = new[]
    {
        "Squeeze 13", "Unsqueeze 13", "ReduceSum 13", "Softmax 13", "LogSoftmax 13", "Hardmax 13", "Split 13 18", "Slice 10",
        "Clip 11", "Pad 11 18", "TopK 10 11", "Dropout 12", "Resize 10 11 13 18", "ReduceMean 18", "ReduceMax 18", "ReduceMin 18",
        "ReduceProd 18", "ReduceL1 18", "ReduceL2 18", "ReduceLogSum 18", "ReduceLogSumExp 18", "ReduceSumSquare 18",
        "BatchNormalization 9 14", "GroupNormalization 18 21", "LayerNormalization 17", "Gelu 20", "Mish 18", "HardSwish 14",
        "Trilu 14", "Einsum 12", "CumSum 11", "GatherND 11 12", "ScatterND 11 16", "ScatterElements 11 16", "Range 11", "Celu 12",
        "CastLike 15", "Shape 15", "RMSNormalization 23", "RotaryEmbedding 23", "Attention 23", "Swish 24", "TensorScatter 24",
        "DequantizeLinear 10 13 19 21", "QuantizeLinear 10 13 19 21", "DynamicQuantizeLinear 11", "MatMulInteger 10",
    }.Select(row => row.Split(' '))
        .ToDictionary(row => row[0], row => Array.ConvertAll(row[1..], version => long.Parse(version, CultureInfo.InvariantCulture)),
        StringComparer.Ordinal);

    /// <summary>Why a function cannot be inlined; null where it can.</summary>
    public static string? Between(IEnumerable<OperatorSetIdProto> model, FunctionProto function)
    {
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var import in model) versions[OnnxOpsets.DomainOf(import.Domain)] = import.Version;
        foreach (var import in function.OpsetImport)
        {
            var domain = OnnxOpsets.DomainOf(import.Domain);
            if (!versions.TryGetValue(domain, out var version) || version == import.Version) continue;
            var (from, to) = (Math.Min(version, import.Version), Math.Max(version, import.Version));
            var used = function.Node.Where(node => OnnxOpsets.DomainOf(node.Domain) == domain).Select(node => node.OpType);
            if (used.FirstOrDefault(HasChanged) is not { } changed) continue;
            return $"it is written in opset {import.Version} of {OnnxOpsets.NameOf(domain)} and the model in {version}, between which "
                + $"{changed} changed";

            bool HasChanged(string op) =>
                domain.Length > 0 || Versions.GetValueOrDefault(op, []).Any(change => change > from && change <= to);
        }
        return null;
    }
}
