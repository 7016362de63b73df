using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.Export.Tests.Validity;

/// <summary>Says what is wrong with a graph: order, names, operators, attributes, declarations.</summary>
/// <param name="tensors">Checks the tensors that it meets.</param>
/// <param name="domains">Operator sets that the model imports.</param>
internal sealed class GraphChecker(TensorChecker tensors, IReadOnlySet<string> domains)
{
    /// <summary>One sentence for each fault.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="isMain">Whether it is no subgraph; only then inputs and outputs need types.</param>
    /// <param name="outer">Names that are defined where the graph stands.</param>
    public IEnumerable<string> Findings(GraphProto graph, bool isMain, HashSet<string> outer)
    {
        var inputs = graph.Input.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        var constants = graph.Initializer.Select(tensor => tensor.Name).ToList();
        string[] given = [.. graph.Input.Select(input => input.Name), .. constants.Where(name => !inputs.Contains(name))];
        var defined = outer.Concat(given).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. given.Concat(constants).Where(name => name.Length == 0).Select(_ => "an input or initializer has no name"),
            .. ModelChecker.Repeated(given).Concat(ModelChecker.Repeated(constants)).Concat(given.Where(outer.Contains)).Distinct(StringComparer.Ordinal).Select(name => $"'{name}' is defined twice"),
            .. graph.Initializer.SelectMany(tensor => tensors.Findings(tensor, $"initializer '{tensor.Name}'")),
            .. ModelChecker.Repeated(graph.Node.Select(node => node.Name).Where(name => name.Length > 0)).Select(name => $"two nodes are named '{name}'"),
            .. graph.Node.SelectMany(node => Node(node, defined)),   // adds what each node defines
            .. graph.Output.Select(output => output.Name).Where(name => !defined.Contains(name)).Select(name => $"output '{name}' is not defined"),
            .. ModelChecker.Repeated(graph.Output.Select(output => output.Name)).Select(name => $"output '{name}' is listed twice"),
            .. constants.Except(Read(graph)).Select(name => $"initializer '{name}' is read by nobody"),
            .. isMain ? graph.Input.Concat(graph.Output).Where(info => info.Type is null).Select(info => $"'{info.Name}' has no type") : [],
            .. Declarations(graph, defined),
        ];
    }

    private IEnumerable<string> Node(NodeProto node, HashSet<string> defined)
    {
        var (at, domain) = (node.Name.Length > 0 ? $"node '{node.Name}'" : $"node of '{node.Output.FirstOrDefault()}'", node.Domain is "ai.onnx" ? string.Empty : node.Domain);
        string[] outputs = [.. node.Output.Where(name => name.Length > 0)];
        string[] findings =
        [
            .. node.OpType.Length > 0 ? [] : new[] { $"{at} has no operator" },
            .. domains.Contains(domain) ? [] : new[] { $"{at}: operators '{domain}' are not imported" },
            .. node.Input.Count + node.Output.Count > 0 ? [] : new[] { $"{at} has neither inputs nor outputs" },
            .. node.Input.Where(name => name.Length > 0 && !defined.Contains(name)).Select(name => $"{at} reads '{name}', which is not defined before it"),
            .. ModelChecker.Repeated(node.Attribute.Select(attribute => attribute.Name)).Select(name => $"{at} has the attribute '{name}' twice"),
            .. node.Attribute.SelectMany(attribute => Attribute(attribute, at)),
            .. node.Attribute.SelectMany(Subgraphs).SelectMany(graph => Findings(graph, isMain: false, outer: defined).Select(finding => $"{at}: {finding}")),
            .. outputs.Where(defined.Contains).Concat(ModelChecker.Repeated(outputs)).Select(name => $"'{name}' is defined twice"),
        ];
        defined.UnionWith(outputs);
        return findings;
    }

    // The stated type is that of the one field in use; lists may be empty.
    private IEnumerable<string> Attribute(AttributeProto attribute, string at)
    {
        (int Type, bool IsUsed)[] fields =
        [
            (1, attribute.HasF), (2, attribute.HasI), (3, attribute.HasS), (4, attribute.T is not null), (5, attribute.G is not null),
            (6, attribute.Floats.Count > 0), (7, attribute.Ints.Count > 0), (8, attribute.Strings.Count > 0), (10, attribute.Graphs.Count > 0),
        ];
        var used = fields.Where(field => field.IsUsed).Select(field => field.Type).ToList();
        var isAsStated = attribute.HasRefAttrName ? used.Count == 0 : used is [var type] ? type == attribute.Type : used.Count == 0 && attribute.Type > 5;
        return
        [
            .. attribute.Name.Length > 0 ? [] : new[] { $"{at} has an attribute without a name" },
            .. isAsStated ? [] : new[] { $"{at}: attribute '{attribute.Name}' states type {attribute.Type} and holds [{string.Join(", ", used)}]" },
            .. attribute.T is null ? [] : tensors.Findings(attribute.T, $"{at}: attribute '{attribute.Name}'"),
        ];
    }

    // What is declared must be there; of a constant type and dimensions are known.
    private static IEnumerable<string> Declarations(GraphProto graph, HashSet<string> defined)
    {
        var constants = graph.Initializer.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        return
        [
            .. graph.ValueInfo.Select(info => info.Name).Where(name => !defined.Contains(name)).Select(name => $"'{name}' is declared and not defined"),
            .. ModelChecker.Repeated(graph.ValueInfo.Select(info => info.Name)).Select(name => $"'{name}' is declared twice"),
            .. graph.Input.Concat(graph.ValueInfo).Where(info => constants.TryGetValue(info.Name, out var tensor) && !Fits(info.Type?.TensorType, tensor)).Select(info => $"initializer '{info.Name}' is declared as something else"),
        ];
    }

    private static bool Fits(TypeProto.Types.Tensor? declared, TensorProto tensor) =>
        declared is null ||
        (declared.ElemType == tensor.DataType &&
         (declared.Shape is not { Dim: var dims } || (dims.Count == tensor.Dims.Count && dims.Zip(tensor.Dims, (dim, size) => !dim.HasDimValue || dim.DimValue == size).All(isEqual => isEqual))));

    private static IEnumerable<GraphProto> Subgraphs(AttributeProto attribute) => attribute.G is null ? attribute.Graphs : attribute.Graphs.Append(attribute.G);

    private static IEnumerable<string> Read(GraphProto graph) =>
    [
        .. graph.Node.SelectMany(node => node.Input),
        .. graph.Output.Select(output => output.Name),
        .. graph.Node.SelectMany(node => node.Attribute).SelectMany(Subgraphs).SelectMany(Read),
    ];
}
