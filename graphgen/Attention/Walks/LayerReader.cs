using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>Reads the layers of a canonical graph: walks from each attention to its projections, checks that the four fit together, then
/// finds the MLP that goes with them.</summary>
internal sealed class LayerReader
{
    private static readonly string MissingMove =
        $"for one of the steps taken, where it moves the features ({SourceFile.Of(typeof(FeatureFlow))})";

    private readonly CanonicalModel _model;
    private readonly List<Finding> _findings;
    private readonly SiteReader _sites;
    private readonly List<AttentionLayer> _layers = [];
    private readonly List<AttentionCore> _cores = [];           // of the layers, in their order
    private readonly HashSet<AttentionCore> _crossed = [];      // cross-attention, which starts no layer

    public LayerReader(CanonicalModel model)
    {
        (_model, _findings) = (model, [.. model.Findings]);
        _sites = new SiteReader(model, _findings);
    }

    public AttentionMap Read()
    {
        foreach (var core in InOrderOfData(_model).ToList()) Read(core);
        var first = _layers.FirstOrDefault(layer => layer is { Q: not null, K: not null });
        foreach (var other in _layers.Where(layer => first is not null && !SameSizes(layer, first)).ToList())
        {
            Report(other.Q?.Product.Producer, $"layer {other.Index} has other heads or widths than layer {first!.Index}; it is left alone");
            _layers[other.Index] = new AttentionLayer(other.Index);
        }
        if (first is not null) ReadMlps(first.Q!.In);
        FindOtherUses();
        return new AttentionMap
        {
            Hidden = first?.Q!.In ?? 0,
            Heads = first?.Q!.Heads ?? 0,
            KvHeads = first?.K!.Heads ?? 0,
            HeadWidth = first?.Q!.Out / first?.Q!.Heads ?? 0,
            Layers = first is null ? [] : _layers,
            Findings = _findings,
            Ffn = _layers.Select(layer => layer.Down?.In).FirstOrDefault(width => width is not null),
            HasAttention = _model.HasAttention,
            Codes = StoredBlocks.In(_model),
            Scaled = _model.Scaled(),
        };
    }

    // A layer comes behind all that it reads. Branches that do not read each other (an encoder and its decoder, two towers) stay in one
    // piece, the deeper one first. For a T5 of two layers each:
    //   encoder 0 → encoder 1 ─┐
    //   decoder 0 (self) ──────┴→ decoder 0 (cross) → decoder 1 (self) → decoder 1 (cross)
    // the order is encoder 0, encoder 1, then the decoder's four; not encoder 0, decoder 0, encoder 1, as the file may have them.
    private static IEnumerable<AttentionCore> InOrderOfData(CanonicalModel model)
    {
        var cores = model.Cores.ToDictionary(core => core.Softmax);
        var depths = DepthsOf(model.Model.Graph);
        var visited = new HashSet<Node>();
        var open = new Stack<(Node Node, bool IsDone)>();
        Push(model.Model.Graph.Outputs);
        while (open.TryPop(out var top))
        {
            if (top.IsDone)
            {
                if (cores.TryGetValue(top.Node, out var core)) yield return core;
            }
            else if (visited.Add(top.Node))
            {
                open.Push((top.Node, true));
                Push(top.Node.Inputs);
            }
        }

        void Push(IEnumerable<Value?> values)
        {
            foreach (var node in values.Select(value => value?.Producer).OfType<Node>().OrderByDescending(node => depths[node]).Reverse())
                open.Push((node, false));
        }
    }

    private static Dictionary<Node, int> DepthsOf(Graph graph)
    {
        var depths = new Dictionary<Node, int>();
        foreach (var node in graph.Nodes)
            depths[node] = 1 + node.Inputs.Select(input => input?.Producer is { } producer ? depths[producer] : 0).DefaultIfEmpty(0).Max();
        return depths;
    }

    private void Read(AttentionCore core)
    {
        var index = _layers.Count;
        var walks = new[] { ("q", core.Q), ("k", core.K), ("v", core.V) }
            .Select(matrix => (Matrix: matrix.Item1, Walk: ProjectionWalk.Back(matrix.Item2)))
            .ToArray();
        if (OtherSources(core, walks[0].Walk, walks[1].Walk, walks[2].Walk) is var (finding, isCrossed))
        {
            _findings.Add(finding);
            if (isCrossed) _crossed.Add(core);
            return;
        }
        var read = walks.Select(walk => Read(walk.Walk, index, walk.Matrix)).OfType<WalkedLayer>().ToList();
        var sites = read.Select(projection => _sites.SiteOf(projection, index, core)).OfType<Projection>()
            .ToDictionary(site => site.Matrix, StringComparer.Ordinal);
        var q = sites.GetValueOrDefault("q");
        var k = sites.GetValueOrDefault("k");
        var v = sites.GetValueOrDefault("v");
        var p = ReadForward(core, index, q?.Heads ?? 0, read.Find(projection => projection.Matrix == "q")?.Features.AtAttention);
        _layers.Add(Checked(new AttentionLayer(index) { Q = q, K = k, V = v, P = p, Core = core }, core));
        _cores.Add(core);
    }

    // All layers have the sizes of the first one that has an MLP: adapters are planned for one width.
    private void ReadMlps(int hidden)
    {
        var attentions = _model.Cores.ToList();
        var reader = new MlpReader(_sites, new ResidualStream(_model.Model.Graph, hidden), attentions, hidden);
        AttentionLayer? first = null;
        for (var i = 0; i < _layers.Count; i++)
        {
            var mlp = reader.Read(i, _cores[i], other => !_crossed.Contains(other));
            if (mlp.Count == 0) continue;
            var layer = _layers[i] with { Gate = Of(mlp, "gate"), Up = Of(mlp, "up"), Down = Of(mlp, "down") };
            first ??= layer;
            if (layer.Down!.In == first.Down!.In && (layer.Gate is null) == (first.Gate is null)) _layers[i] = layer;
            else Report(layer.Down.Product.Producer, $"layer {i} has an MLP of another width than layer {first.Index}, or another kind; "
                + "it is left alone");
        }

        static Projection? Of(IReadOnlyList<Projection> mlp, string matrix) => mlp.FirstOrDefault(site => site.Matrix == matrix);
    }

    private static (Finding Finding, bool IsCrossed)? OtherSources(AttentionCore core, ProjectionWalk q, ProjectionWalk k, ProjectionWalk v)
    {
        if (q.Linear is not { Input: { } source }) return null;
        var others = new[] { k, v }
            .Select(walk => walk.Linear?.Input)
            .OfType<Value>()
            .Where(other => !SameSource.AreSame(other, source))
            .ToList();
        if (others.Count == 0) return null;
        var node = SiteReader.LabelOf(core.Softmax);
        if (!others.All(other => SameSource.AreRelated(other, source)))
        {
            var isKeyed = k.Linear is { } key && SameSource.AreSame(key.Input, source);
            return (new Finding(node, isKeyed
                ? "values are made from another value than queries and keys (positions added to these only?); it is left alone"
                : "cross-attention: keys and values are made from another source than queries; it is left alone"), !isKeyed);
        }
        return (new Finding(node, "latent attention: queries, keys and values are made by several products in a row; it is left alone")
        {
            Explanation = new Explanation
            {
                LookedFor = "one product each for queries, keys and values",
                Node = node,
                Op = core.Softmax.Source?.Op ?? core.Softmax.Op,
                Passed = [],
                Remedy = $"in {nameof(LayerReader)} ({SourceFile.Of(typeof(LayerReader))}), which of the products in a row are adapted",
            },
        }, false);
    }

    private AttentionLayer Checked(AttentionLayer layer, AttentionCore core)
    {
        var reason = layer switch
        {
            _ when Overlapping(layer) is var (a, b) => $"{a} and {b} are the same features of one product",
            { Q: { } q, K: { } k } when q.Out / q.Heads != k.Out / k.Heads =>
                $"a query head is {q.Out / q.Heads} wide and a key head {k.Out / k.Heads}",
            { Q: { } q, K: { } k } when q.Heads % k.Heads != 0 => $"{q.Heads} query heads cannot share {k.Heads} key heads",
            { K: { } k, V: { } v } when k.Heads != v.Heads => $"there are {k.Heads} key heads and {v.Heads} value heads",
            { Q: { } q, P: { } p } when p.Out != q.In => $"the output projection makes {p.Out} features of a model width of {q.In}",
            { Q: { } q, V: { } v, P: { } p } when p.In != v.Out / v.Heads * q.Heads =>
                $"the output projection takes {p.In} features, attention makes {v.Out / v.Heads * q.Heads}",
            _ => null,
        };
        if (reason is null) return layer;
        Report(core.Softmax, $"layer {layer.Index} does not fit together: {reason}; it is left alone");
        return new AttentionLayer(layer.Index);
    }

    private static (string, string)? Overlapping(AttentionLayer layer)
    {
        foreach (var site in layer.Sites)
            foreach (var other in layer.Sites.Where(other => string.CompareOrdinal(site.Matrix, other.Matrix) < 0
                && other.Product == site.Product))
                if (site.Stored.Columns.Overlaps(other.Stored.Columns)) return (site.Matrix, other.Matrix);
        return null;
    }

    // Disentangled attention applies the projections of content to positions as well.
    private void FindOtherUses()
    {
        var sites = _layers.SelectMany(layer => layer.Sites).ToList();
        var products = sites.Select(site => site.Product.Producer!).ToHashSet();
        foreach (var site in sites)
            foreach (var other in site.Weight.Uses
                .Select(use => use.Node)
                .Where(node => !products.Contains(node) && LinearLayer.StartingAt(node) is not null))
                Report(other, $"the weight of {site.Address} is applied here to something else too; adapters leave this product as it is");
    }

    private static bool SameSizes(AttentionLayer layer, AttentionLayer first) =>
        layer.Sites.All(site => first[site.Matrix] is not { } other
            || (site.In, site.Out, site.Heads) == (other.In, other.Out, other.Heads));

    private WalkedLayer? Read(ProjectionWalk walk, int layer, string matrix)
    {
        if (walk.Linear is null)
            Failed(walk, layer, matrix, $"a step in {ProjectionWalk.PlaceOfStepsBack}",
                WeightObstacle.Behind(walk.Values[^1]));
        else if (HeadFeatures.Of(walk) is { } features)
            return new WalkedLayer(matrix, walk.Linear, features, SiteReader.NamesOf(walk));
        else
            Failed(walk, layer, matrix, MissingMove, "it cannot be said which of its features make which head");
        return null;
    }

    private Projection? ReadForward(AttentionCore core, int layer, int heads, FeatureFlow? queries)
    {
        var walk = ProjectionWalk.Forward(core.Out);
        if (walk.Linear is not { } linear)
            Failed(walk, layer, "p", $"a step in {ProjectionWalk.PlaceOfStepsForward}",
                WeightObstacle.Of(ProjectionWalk.ReadersOf(walk.Values[^1])) ?? ReadersOf(walk.Values[^1]));
        else if (!HeadFeatures.ArriveInOrder(walk, core.Scores.Int("transA", 0) == 1 ? queries?.Transposed() : queries))
            Failed(walk, layer, "p", MissingMove, "it cannot be said which of its features come from which head");
        else if (heads > 0)
            return _sites.SiteOf(
                new WalkedLayer("p", linear, new HeadFeatures([(0, linear.Out)], heads, linear.Output), SiteReader.NamesOf(walk)),
                layer,
                core);
        return null;
    }

    private static string ReadersOf(Value value)
    {
        var readers = ProjectionWalk.ReadersOf(value);
        return readers is [var reader] ? $"{reader} reads it" : $"{readers.Count} nodes read it";
    }

    private void Failed(ProjectionWalk walk, int layer, string matrix, string missing, string? why = null) =>
        _sites.Failed(walk, $"layers.{layer}.{matrix}", "attention", missing, why);

    private void Report(Node? node, string reason) => _sites.Report(node, reason);
}
