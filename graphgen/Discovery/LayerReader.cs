using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Reads the layers of a canonical graph: walks from each attention to its projections, then checks that the four fit together.</summary>
internal sealed class LayerReader(CanonicalModel model)
{
    private readonly List<Finding> _findings = [.. model.Findings];
    private readonly List<AttentionLayer> _layers = [];

    public AttentionMap Read()
    {
        foreach (var core in InOrderOfData(model)) Read(core);
        var first = _layers.FirstOrDefault(layer => layer is { Q: not null, K: not null });
        foreach (var other in _layers.Where(layer => first is not null && !SameSizes(layer, first)).ToList())
        {
            Report(other.Q?.Product.Producer, $"layer {other.Index} has other heads or widths than layer {first!.Index}; it is left alone");
            _layers[other.Index] = new AttentionLayer(other.Index);
        }
        return new AttentionMap
        {
            Hidden = first?.Q!.In ?? 0,
            Heads = first?.Q!.Heads ?? 0,
            KvHeads = first?.K!.Heads ?? 0,
            HeadWidth = first is null ? 0 : first.Q!.Out / first.Q.Heads,
            Layers = first is null ? [] : _layers,
            Findings = _findings,
        };
    }

    // Depth in the graph; equal depths keep the order of the nodes.
    private static IEnumerable<AttentionCore> InOrderOfData(CanonicalModel model)
    {
        var depths = new Dictionary<Node, int>();
        foreach (var node in model.Model.Graph.Nodes)
            depths[node] = 1 + node.Inputs.Select(input => input?.Producer is { } producer ? depths[producer] : 0).DefaultIfEmpty(0).Max();
        return model.Cores.OrderBy(core => depths[core.Softmax]);
    }

    private void Read(AttentionCore core)
    {
        var index = _layers.Count;
        var read = new[] { ("q", core.Q), ("k", core.K), ("v", core.V) }.Select(matrix => ReadBack(matrix.Item2, index, matrix.Item1)).OfType<Projection>().ToList();
        var sites = Interleaved.TakeApart(model.Model.Graph, read).Select(projection => SiteOf(projection, index)).OfType<LinearSite>().ToDictionary(site => site.Matrix, StringComparer.Ordinal);
        var (q, k, v) = (sites.GetValueOrDefault("q"), sites.GetValueOrDefault("k"), sites.GetValueOrDefault("v"));
        if (q is not null && (IsOther(k, q) || IsOther(v, q)))
        {
            Report(core.Softmax, "cross-attention: keys and values are made from another source than queries; it is left alone");
            return;
        }
        var p = ReadForward(core.Out, index, q?.Heads ?? 0);
        _layers.Add(Checked(new AttentionLayer(index) { Q = q, K = k, V = v, P = p }, core));

        static bool IsOther(LinearSite? site, LinearSite q) => site is not null && site.Input != q.Input;
    }

    private AttentionLayer Checked(AttentionLayer layer, AttentionCore core)
    {
        var reason = layer switch
        {
            { Q: { } q, K: { } k } when q.Out / q.Heads != k.Out / k.Heads => $"a query head is {q.Out / q.Heads} wide and a key head {k.Out / k.Heads}",
            { Q: { } q, K: { } k } when q.Heads % k.Heads != 0 => $"{q.Heads} query heads cannot share {k.Heads} key heads",
            { K: { } k, V: { } v } when k.Heads != v.Heads => $"there are {k.Heads} key heads and {v.Heads} value heads",
            { Q: { } q, P: { } p } when p.Out != q.In => $"the output projection makes {p.Out} features of a model width of {q.In}",
            { Q: { } q, V: { } v, P: { } p } when p.In != v.Out / v.Heads * q.Heads => $"the output projection takes {p.In} features, attention makes {v.Out / v.Heads * q.Heads}",
            _ => null,
        };
        if (reason is null) return layer;
        Report(core.Softmax, $"layer {layer.Index} does not fit together: {reason}; it is left alone");
        return new AttentionLayer(layer.Index);
    }

    private static bool SameSizes(AttentionLayer layer, AttentionLayer first) => layer.Sites.All(site => first[site.Matrix] is not { } other || (site.In, site.Out, site.Heads) == (other.In, other.Out, other.Heads));

    private Projection? ReadBack(Value from, int layer, string matrix)
    {
        var walk = Walk.Back(from);
        if (walk.Linear is null) Failed(walk, layer, matrix);
        else if (Features.Of(walk) is { } features) return new Projection(matrix, walk.Linear, features);
        else Failed(walk with { Closest = "it cannot be said which of its features make which head" }, layer, matrix);
        return null;
    }

    private LinearSite? ReadForward(Value from, int layer, int heads)
    {
        var walk = Walk.Forward(from);
        if (walk.Linear is not { } linear) Failed(walk, layer, "p");
        else if (heads > 0) return SiteOf(new Projection("p", linear, new Features([(0, linear.Out)], heads, linear.Output)), layer);
        return null;
    }

    private LinearSite? SiteOf(Projection projection, int layer)
    {
        var (matrix, linear, features) = projection;
        if (StoredSite.Of(model, linear, features) is not { } stored)
        {
            Report(linear.Product, $"layers.{layer}.{matrix}: the weight '{linear.Weight.Name}' is computed, not stored as numbers of a known kind");
            return null;
        }
        return new LinearSite(layer, matrix)
        {
            Input = linear.Input,
            Output = features.Output!,
            Product = linear.Product.Output,
            Weight = linear.Weight,
            IsOutIn = linear.IsOutIn,
            Bias = linear.Bias,
            In = (int)linear.In,
            Out = (int)features.Count,
            Heads = features.Heads,
            Stored = stored,
        };
    }

    private void Failed(Walk walk, int layer, string matrix)
    {
        var stop = walk.Linear?.Product ?? walk.Values[^1].Producer;
        var steps = walk.Steps.Count == 0 ? "no step taken" : $"after: {string.Join(", ", walk.Steps.Select(step => step.Name))}";
        _findings.Add(new Finding(
            stop?.Source?.Label ?? stop?.Label ?? walk.Values[^1].Name,
            $"layers.{layer}.{matrix}: the walk from attention to its linear layer stops here at {stop?.Op ?? "an input"} ({steps}{(walk.Closest is null ? string.Empty : $"; {walk.Closest}")})"));
    }

    private void Report(Node? node, string reason) => _findings.Add(new Finding(node?.Source?.Label ?? node?.Label ?? string.Empty, reason));
}
