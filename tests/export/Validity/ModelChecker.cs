using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.Export.Tests.Validity;

/// <summary>Says what is wrong with an ONNX file, as <c>onnx.checker</c> would, and what that one lets pass: versions, sizes, data outside, what nobody reads.</summary>
/// <remarks>Operators' own schemas are not looked at: ONNX Runtime checks every node with the code of <c>onnx.checker</c> when it opens a file.</remarks>
internal static class ModelChecker
{
    // The oldest version of the file format that goes with a version of ONNX's own operators.
    private static readonly (long Opset, long Ir)[] FormatOfOpset = [(9, 4), (10, 5), (11, 6), (12, 7), (15, 8), (19, 9), (21, 10), (23, 11), (24, 12), (25, 13)];

    /// <summary>One sentence for each fault; none depends on positions, so those of two files can be compared.</summary>
    public static IReadOnlyList<string> Findings(string path) => Findings(ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)), path);

    public static IReadOnlyList<string> Findings(ModelProto model, string path)
    {
        var tensors = new TensorChecker(path);
        return
        [
            .. Header(model),
            .. Demands(model).Where(demand => model.IrVersion < demand.Ir).Select(demand => $"{demand.Feature} needs IR version {demand.Ir}, the file has {model.IrVersion}"),
            .. model.Functions.SelectMany(function => Function(function, tensors)),
            .. new GraphChecker(tensors, Domains(model.OpsetImport)).Findings(model.Graph, isMain: true, outer: []),
            .. tensors.Overlaps(),
        ];
    }

    /// <summary>What stands more than once.</summary>
    public static IEnumerable<string> Repeated(IEnumerable<string> names) => names.GroupBy(name => name, StringComparer.Ordinal).Where(group => group.Skip(1).Any()).Select(group => group.Key);

    private static IEnumerable<string> Header(ModelProto model) =>
    [
        .. model.HasIrVersion ? [] : new[] { "the file states no IR version" },
        .. model.OpsetImport.Count > 0 ? [] : new[] { "the file imports no operators" },
        .. model.Graph.Name.Length > 0 ? [] : new[] { "the graph has no name" },
        .. Repeated(model.OpsetImport.Select(opset => opset.Domain)).Select(domain => $"operators '{domain}' are imported twice"),
        .. Repeated(model.MetadataProps.Select(entry => entry.Key)).Select(key => $"metadata '{key}' is given twice"),
        .. Repeated(model.Functions.Select(function => $"{function.Domain}::{function.Name}")).Select(name => $"function {name} is defined twice"),
    ];

    private static IEnumerable<(string Feature, long Ir)> Demands(ModelProto model)
    {
        var opset = model.OpsetImport.Where(import => import.Domain is "" or "ai.onnx").Select(import => import.Version).DefaultIfEmpty().Max();
        if (FormatOfOpset.LastOrDefault(row => row.Opset <= opset) is { Ir: > 0 } row) yield return ($"opset {opset}", row.Ir);
        var inputs = model.Graph.Input.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        if (model.Graph.Initializer.Any(tensor => !inputs.Contains(tensor.Name))) yield return ("an initializer that is no input", 4);
        if (model.Functions.Count > 0) yield return ("a function", 8);
        if (model.Graph.Initializer.Any(tensor => tensor.DataType is >= 17 and <= 20)) yield return ("an 8-bit float", 9);
        if (model.Graph.Initializer.Any(tensor => tensor.DataType is 21 or 22)) yield return ("a 4-bit integer", 10);
        if (model.Graph.Node.Any(node => node.MetadataProps.Count > 0)) yield return ("metadata of a node", 10);
    }

    private static IEnumerable<string> Function(FunctionProto function, TensorChecker tensors)
    {
        var body = new GraphProto { Name = function.Name, Node = { function.Node }, Output = { function.Output.Select(name => new ValueInfoProto { Name = name }) } };
        return
        [
            .. Repeated(function.Input).Select(name => $"function {function.Name}: input '{name}' is defined twice"),
            .. new GraphChecker(tensors, Domains(function.OpsetImport)).Findings(body, isMain: false, outer: [.. function.Input]).Select(finding => $"function {function.Name}: {finding}"),
        ];
    }

    private static HashSet<string> Domains(IEnumerable<OperatorSetIdProto> imports) =>
        imports.Select(import => import.Domain is "ai.onnx" ? string.Empty : import.Domain).ToHashSet(StringComparer.Ordinal);
}
