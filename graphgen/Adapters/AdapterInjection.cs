using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Writes an adapter into a graph: its factors become inputs, and each site's output is replaced by the family's adapted
/// one.</summary>
internal static class AdapterInjection
{
    /// <summary>Adds the adapter.</summary>
    /// <param name="tape">Tape of the graph.</param>
    /// <param name="plan">The adapter.</param>
    /// <param name="linears">Input x and output y (after the bias) of each site, in the plan's order.</param>
    /// <param name="defaults">Values that the inputs have when nobody feeds them; null = they must be fed.</param>
    /// <returns>The factors, for penalties and tests.</returns>
    public static FactorSet Apply(
        Tape tape,
        AdapterPlan plan,
        IReadOnlyList<(Value Input, Value Output)> linears,
        IReadOnlyDictionary<string, OnnxTensor>? defaults = null)
    {
        var factors = AddInputs(tape, plan, defaults);
        var dropped = new Dictionary<Value, Expr>();
        foreach (var (site, (input, output)) in plan.Sites.All.Zip(linears))
        {
            using var scope = tape.Scope($"{output.Producer?.Name ?? site.Address}/{plan.Family.Method}");
            var readers = output.Uses.ToHashSet();
            var x = plan.Options.Dropout > 0 && defaults is null ? Dropped(tape, input, site, dropped) : tape[input];
            var adapted = plan.Family.Emit(site, x, tape[output], factors);
            tape.Graph.Splice(output, readers, adapted.Value);
        }
        return factors;
    }

    /// <summary>The factors and the scale as inputs of a graph.</summary>
    public static FactorSet AddInputs(Tape tape, AdapterPlan plan, IReadOnlyDictionary<string, OnnxTensor>? defaults = null)
    {
        var scale = tape.Graph.AddInput(TrainingNames.Scale, ElementType.Float, [], OnnxTensor.Scalar((float)plan.Family.Scale));
        var factors = new SortedDictionary<string, Expr>(StringComparer.Ordinal);
        foreach (var factor in plan.Factors)
        {
            Shape shape = [.. factor.Dims.Select(dim => new Dim(dim))];
            var name = new TensorName(TensorKind.Factor, factor.Name);
            factors[factor.Name] = tape[tape.Graph.AddInput(name, ElementType.Float, shape, defaults?[factor.Name])];
        }
        return new FactorSet(factors, tape[scale], plan.Sites);
    }

    // One mask for all sites that read the same x, so that they still share x·A.
    private static Expr Dropped(Tape tape, Value input, AdapterSite site, Dictionary<Value, Expr> dropped)
    {
        if (dropped.TryGetValue(input, out var shared)) return shared;
        var mask = tape.Graph.AddInput(new TensorName(TensorKind.Dropout, site.Address), ElementType.Float, input.Shape);
        return dropped[input] = tape[input] * tape[mask];
    }
}
