using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir.Inlining;

/// <summary>Puts the bodies of functions that a model defines itself in the place of their calls, also in functions and in graphs inside
/// nodes.</summary>
/// <remarks>A body that is used once keeps its names; bodies that are used several times have the name of the call in front.</remarks>
internal sealed class FunctionInliner
{
    private const int MostNodes = 200_000;   // functions that call each other can stand for any number of nodes
    private const int Deepest = 200;         // calls in calls

    private readonly ModelProto _model;
    private readonly NameTable _names;
    private readonly Dictionary<string, FunctionProto> _functions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _calls = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _kept = new(StringComparer.Ordinal);
    private readonly List<string> _open = [];
    private int _nodes;

    private FunctionInliner(ModelProto model)
    {
        (_model, _names) = (model, new NameTable(model.Graph));
        foreach (var function in model.Functions) _functions.TryAdd(KeyOf(function.Domain, function.Name, function.Overload), function);
        foreach (var node in Nodes(model.Graph.Node).Concat(model.Functions.SelectMany(function => Nodes(function.Node))))
            if (FunctionOf(node) is not null) _calls[KeyOf(node)] = _calls.GetValueOrDefault(KeyOf(node)) + 1;
    }

    /// <summary>Inlines all calls and takes away the functions.</summary>
    /// <param name="model">The model, which is changed.</param>
    /// <returns>For functions that stay (operators of their bodies mean something else in the model's opset, or they call themselves):
    /// the reason, by <c>domain::name</c>.</returns>
    public static IReadOnlyDictionary<string, string> Inline(ModelProto model)
    {
        if (model.Functions.Count == 0) return new Dictionary<string, string>(StringComparer.Ordinal);
        var inliner = new FunctionInliner(model);
        inliner.Inline(model.Graph, isRepeated: false);
        if (inliner._kept.Count == 0) inliner.RemoveFunctions();
        return inliner._kept;
    }

    /// <summary>How messages and nodes name a function.</summary>
    public static string KeyOf(NodeProto node) => KeyOf(node.Domain, node.OpType, node.Overload);

    private static string KeyOf(string domain, string name, string overload) =>
        $"{OnnxOpsets.OpOf(domain, name)}{(overload.Length > 0 ? $":{overload}" : string.Empty)}";

    private static IEnumerable<NodeProto> Nodes(IEnumerable<NodeProto> nodes) =>
        nodes.SelectMany(node => NameTable.Subgraphs(node).SelectMany(graph => Nodes(graph.Node)).Prepend(node));

    private FunctionProto? FunctionOf(NodeProto node) => _functions.GetValueOrDefault(KeyOf(node));

    private void Inline(GraphProto graph, bool isRepeated)
    {
        var nodes = Expanded(graph.Node, isRepeated).ToList();
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    private IEnumerable<NodeProto> Expanded(IEnumerable<NodeProto> nodes, bool isRepeated)
    {
        foreach (var node in nodes)
        {
            var (key, function) = (KeyOf(node), FunctionOf(node));
            var whyKept = function is null ? null : WhyKept(node, function);
            if (whyKept is not null) _kept[key] = whyKept;
            if (function is null || whyKept is not null)
            {
                foreach (var graph in NameTable.Subgraphs(node)) Inline(graph, isRepeated);
                yield return node;
                continue;
            }
            var isBodyRepeated = isRepeated || _calls[key] > 1;
            _nodes += function.Node.Count;
            _open.Add(key);
            foreach (var inner in Expanded(Body(node, function, isBodyRepeated), isBodyRepeated)) yield return inner;
            _open.RemoveAt(_open.Count - 1);
        }
    }

    private string? WhyKept(NodeProto call, FunctionProto function)
    {
        if (_open.Contains(KeyOf(call), StringComparer.Ordinal)) return "it calls itself";
        if (_open.Count >= Deepest) return $"it is called behind {Deepest} other calls";
        if (_nodes + function.Node.Count > MostNodes) return $"the functions expand to more than {MostNodes} nodes";
        if (call.Input.Count > function.Input.Count || call.Output.Count > function.Output.Count)
            return "it is called with more inputs or outputs than it has";
        return OpsetChanges.Between(_model.OpsetImport, function);
    }

    private List<NodeProto> Body(NodeProto call, FunctionProto function, bool isRepeated)
    {
        var prefix = (call.Name.Length > 0 ? call.Name : call.Output.FirstOrDefault(name => name.Length > 0) ?? call.OpType).TrimEnd('/');
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < function.Input.Count; i++) names[function.Input[i]] = i < call.Input.Count ? call.Input[i] : string.Empty;
        var defined = NameTable.DefinedIn(function.Node).ToHashSet(StringComparer.Ordinal);
        var forwarded = new List<(string From, string To)>();
        for (var i = 0; i < call.Output.Count; i++)
        {
            if (call.Output[i].Length == 0) continue;
            if (!defined.Contains(function.Output[i]) || !names.TryAdd(function.Output[i], call.Output[i]))
                forwarded.Add((function.Output[i], call.Output[i]));
        }
        foreach (var name in defined.Where(name => !names.ContainsKey(name))) names[name] = _names.Unique(Wanted(name));
        var copy = new BodyCopy(names, name => _names.Unique(Wanted(name)), attribute => Attribute(call, function, attribute));
        return [.. function.Node.Select(copy.Copy), .. forwarded.Select(pair => Identity(copy.NameOf(pair.From), pair.To))];

        string Wanted(string name) => isRepeated ? $"{prefix}/{name.TrimStart('/')}" : name;
    }

    private static AttributeProto? Attribute(NodeProto call, FunctionProto function, string name) =>
        call.Attribute.FirstOrDefault(attribute => attribute.Name == name)
            ?? function.AttributeProto.FirstOrDefault(attribute => attribute.Name == name);

    /// <summary>An output that is an input of the body, or another output once more.</summary>
    internal static NodeProto Identity(string from, string to) =>
        new() { OpType = "Identity", Name = $"{to}/Identity", Input = { from }, Output = { to } };

    private void RemoveFunctions()
    {
        var domains = _model.Functions.Select(function => function.Domain).ToHashSet(StringComparer.Ordinal);
        foreach (var import in _model.Functions.SelectMany(function => function.OpsetImport))
        {
            if (_model.OpsetImport.All(known => OnnxOpsets.DomainOf(known.Domain) != OnnxOpsets.DomainOf(import.Domain)))
                _model.OpsetImport.Add(import.Clone());
        }
        _model.Functions.Clear();
        var used = Nodes(_model.Graph.Node).Select(node => node.Domain).ToHashSet(StringComparer.Ordinal);
        var unused = _model.OpsetImport.Where(import =>
            OnnxOpsets.DomainOf(import.Domain).Length > 0 && domains.Contains(import.Domain) && !used.Contains(import.Domain)).ToList();
        foreach (var import in unused) _model.OpsetImport.Remove(import);
    }
}
