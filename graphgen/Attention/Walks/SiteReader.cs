using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>Makes sites of the linear layers that walks lead to, and findings of what is not understood.</summary>
/// <param name="model">The model.</param>
/// <param name="findings">Takes the findings.</param>
internal sealed class SiteReader(CanonicalModel model, List<Finding> findings)
{
    /// <summary>A matrix in the graph and in the file; null, with a finding, where its weight is no stored tensor.</summary>
    public Projection? SiteOf(WalkedLayer found, int layer, AttentionCore core)
    {
        var (matrix, linear, features, forms) = found;
        if (StoredPlace.Of(model, linear, features) is not { } stored)
        {
            var computed = $"the weight '{linear.Weight.Name}' is computed, not stored as numbers of a known kind";
            Report(linear.Product, $"layers.{layer}.{matrix}: {WeightObstacle.Of(linear.Product) ?? computed}");
            return null;
        }
        return new Projection(layer, matrix)
        {
            Input = linear.Input,
            Output = features.Output ?? linear.Output,
            IsPacked = features.Output is null,
            Product = linear.Product.Output,
            Weight = linear.Weight,
            Layout = linear.Layout,
            Bias = linear.Bias,
            In = (int)linear.In,
            Out = (int)features.Columns.Width,
            Heads = features.Heads,
            Attention = core.Softmax.Source?.Op ?? core.Softmax.Op,
            Forms = forms,
            Stored = stored,
        };
    }

    /// <summary>Notes that a walk did not lead to a linear layer, or not to features that are understood.</summary>
    /// <param name="walk">The walk.</param>
    /// <param name="site">What it was to find: <c>layers.0.q</c>.</param>
    /// <param name="from">Where it began.</param>
    /// <param name="missing">What this project lacks.</param>
    /// <param name="why">Why it stopped, where that is known.</param>
    public void Failed(ProjectionWalk walk, string site, string from, string missing, string? why = null)
    {
        var stop = walk.Linear?.Product ?? walk.Values[^1].Producer;
        var (node, op) = (stop?.Source?.Label ?? stop?.Label ?? walk.Values[^1].Name, stop?.Op ?? "input");
        var steps = walk.Steps.Count == 0 ? "no step taken" : $"after: {string.Join(", ", NamesOf(walk))}";
        why ??= walk.Closest is { } closest ? $"closest step: {closest}" : null;
        findings.Add(new Finding(
            node,
            $"{site}: the walk from {from} to its linear layer stops here at {op} "
                + $"({string.Join("; ", new[] { steps, why }.OfType<string>())})")
        {
            Explanation = new Explanation
            {
                LookedFor = site,
                Node = node,
                Op = op,
                Passed = NamesOf(walk),
                Declined = stop is null ? [] : model.Declined.GetValueOrDefault(stop, []),
                Closest = walk.Closest,
                Remedy = $"{missing}{(why is null ? $" for {op}" : $": {why}")}",
            },
        });
    }

    /// <summary>Notes what was left alone.</summary>
    /// <param name="node">Where.</param>
    /// <param name="reason">What and why.</param>
    public void Report(Node? node, string reason) => findings.Add(new Finding(LabelOf(node), reason));

    /// <summary>The node of the deployed file, as findings name it.</summary>
    public static string LabelOf(Node? node) => node?.Source?.Label ?? node?.Label ?? string.Empty;

    /// <summary>Names of the steps of a walk.</summary>
    public static IReadOnlyList<string> NamesOf(ProjectionWalk walk) => [.. walk.Steps.Select(step => step.Name)];
}

/// <summary>A matrix of a layer, found at the end of a walk.</summary>
/// <param name="Matrix">q, k, v, p, gate, up or down.</param>
/// <param name="Linear">The product that makes it.</param>
/// <param name="Features">Which of the product's features are its.</param>
/// <param name="Forms">Names of the steps of the walk, from attention on.</param>
internal sealed record WalkedLayer(string Matrix, LinearLayer Linear, HeadFeatures Features, IReadOnlyList<string> Forms);
