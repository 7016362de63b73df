using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>Finds the MLP of each layer: among the branches that join the stream together with its attention, or between that and the next
/// layer's attention. Names play no part.</summary>
/// <param name="sites">Makes sites and findings.</param>
/// <param name="stream">The stream of hidden states.</param>
/// <param name="attentions">All attention of the model, cross-attention included.</param>
/// <param name="hidden">Model width.</param>
internal sealed class MlpReader(SiteReader sites, ResidualStream stream, IReadOnlyList<AttentionCore> attentions, int hidden)
{
    private static readonly FrozenSet<string> Routers =
        FrozenSet.Create(StringComparer.Ordinal, "TopK", "NonZero", OrtOps.Moe, OrtOps.QMoe);

    /// <summary>Reads the MLP of a layer.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="core">Its attention.</param>
    /// <param name="startsLayer">Whether an attention is one of a layer of its own, as opposed to a decoder's cross-attention.</param>
    /// <returns>gate, up and down, as far as there are any.</returns>
    public IReadOnlyList<Projection> Read(int layer, AttentionCore core, Func<AttentionCore, bool> startsLayer)
    {
        if (stream.JoinedBy(core.Out) is not { } sum) return [];
        var found = false;
        IReadOnlyList<Projection> mlp = [];
        Take(BranchesBeside(core, sum));
        for (var at = sum.Result; stream.Next(ref at) is { } next; at = next.Result)
        {
            var source = at;
            var branches = next.Terms.Where(term => stream.IsBranchOf(source, term)).ToList();
            var inside = attentions.Where(other => branches.Any(branch => IsInside(other, source, branch))).ToList();
            if (inside.Any(startsLayer)) break;
            if (inside.Count == 0) Take(new(source, branches));
        }
        return mlp;

        void Take(Branches branches)
        {
            if (branches.Values.Count == 0) return;
            if (found)
            {
                sites.Report(
                    branches.Values[0].Producer, $"a further MLP, or something like it, follows that of layer {layer}; it is left alone");
                return;
            }
            (found, mlp) = (true, ReadBranch(layer, core, branches));
        }
    }

    // What joins the stream together with attention, and is made of what attention is made of.
    private Branches BranchesBeside(AttentionCore core, ResidualSum sum)
    {
        var attended = sum.Terms.Where(term => stream.DependsOn(term, core.Out)).ToList();
        var others = sum.Terms.Except(attended).ToList();
        var source = others.Select(ResidualStream.StreamOf)
            .FirstOrDefault(other => attended.Any(term => stream.DependsOn(term, other))
                && !others.Any(term => stream.IsBranchOf(term, other)));
        return source is null
            ? new(sum.Result, [])
            : new(source, [.. others.Where(term => stream.IsBranchOf(source, term))]);
    }

    private bool IsInside(AttentionCore attention, Value source, Value branch) =>
        stream.IsBefore(source, attention.Out) && stream.IsBefore(attention.Out, branch)
            && stream.DependsOn(branch, attention.Out) && stream.DependsOn(attention.Out, source);

    private IReadOnlyList<Projection> ReadBranch(int layer, AttentionCore core, Branches branches)
    {
        var nodes = branches.Values.SelectMany(branch => stream.Between(branches.Source, branch)).ToList();
        if (nodes.FirstOrDefault(IsOfExperts) is { } router)
        {
            sites.Report(router, $"layers.{layer}: its MLP is a mixture of experts ({router.Op} '{SiteReader.LabelOf(router)}'); "
                + "it is left alone");
            return [];
        }
        if (branches.Values is not [var branch])
        {
            sites.Report(branches.Values[0].Producer, $"layers.{layer}: {branches.Values.Count} branches other than attention join the "
                + "stream at once, and which of them is the MLP is not known; they are left alone");
            return [];
        }
        var walk = ProjectionWalk.BackToDown(branch);
        if (walk.Linear is not { } down)
        {
            sites.Failed(walk, $"layers.{layer}.down", "the residual stream", $"a step in {ProjectionWalk.PlaceOfStepsDown}",
                WeightObstacle.Behind(walk.Values[^1]));
            return [];
        }
        return SitesOf(layer, core, walk, MlpRegion.Before(down));
    }

    private IReadOnlyList<Projection> SitesOf(int layer, AttentionCore core, ProjectionWalk walk, MlpRegion region)
    {
        var down = walk.Linear!;
        if (WhyNot(down, region) is { } reason)
        {
            var stop = region.Stop?.Producer ?? down.Product;
            sites.Report(stop, $"layers.{layer}: its MLP is not understood: {WeightObstacle.Of(stop) ?? reason}; it is left alone");
            return [];
        }
        var parts = region.Roles()!.Select(part =>
            new WalkedLayer(part.Matrix, part.Walk.Linear!, HeadFeatures.OfPart(part.Walk)!, SiteReader.NamesOf(part.Walk)));
        var last = new WalkedLayer("down", down, new HeadFeatures([(0, down.Out)], null, down.Output), SiteReader.NamesOf(walk));
        var mlp = parts.Append(last).Select(found => sites.SiteOf(found, layer, core)).OfType<Projection>().ToList();
        return mlp.Count == region.Parts.Count + 1 ? mlp : [];
    }

    private string? WhyNot(LinearLayer down, MlpRegion region)
    {
        if (down.Out != hidden) return $"its last linear layer makes {down.Out} features of a model width of {hidden}";
        if (region.Stop is { } stop)
            return $"{stop.Producer?.ToString() ?? $"input '{stop.Name}'"} is between its linear layers";
        if (region.Parts.FirstOrDefault(part => part.Linear!.In != hidden) is { } narrow)
            return $"its first linear layer takes {narrow.Linear!.In} features of a model width of {hidden}";
        if (region.Parts.Any(part => !SameSource.AreSame(part.Linear!.Input, region.Parts[0].Linear!.Input)))
            return "its first linear layers take different values";
        if (region.Parts.Any(part => HeadFeatures.OfPart(part)?.Columns.Width != down.In))
            return "it is not known which features of its first product become which inputs of the last";
        return region.Roles() is not null ? null : region.Parts.Count switch
        {
            1 => "there is no activation between its linear layers",
            2 => "no activation follows exactly one of its first two linear layers, so gate and up cannot be distinguished",
            var count => $"the input of its last linear layer is made of {count} parts",
        };
    }

    // Experts are chosen for each row, or stored one behind the other in one tensor.
    private static bool IsOfExperts(Node node) =>
        Routers.Contains(node.Op) || (node.Op == "MatMul" && node.Input(1) is { IsConstant: true, Constant: { Rank: > 2 } weight }
            && weight.Dims[0] > 1);

    /// <summary>What joins the stream in one sum.</summary>
    /// <param name="Source">The stream that it is made of.</param>
    /// <param name="Values">The operands of the sum.</param>
    private sealed record Branches(Value Source, IReadOnlyList<Value> Values);
}
