using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Writes an adapter into a graph: its factors become inputs, and each site's output is replaced by the family's adapted
/// one.</summary>
internal static class AdapterInjection
{
    /// <summary>Adds the adapter.</summary>
    /// <param name="tape">Tape of the graph.</param>
    /// <param name="plan">The adapter.</param>
    /// <param name="linears">The linear layer of each site, in the plan's order.</param>
    /// <param name="attentions">The attention of each layer of a plan that acts there.</param>
    /// <param name="defaults">Values that the inputs have when nobody feeds them; null = they must be fed.</param>
    /// <param name="prefix">What the names of the inputs begin with.</param>
    /// <returns>The factors, for penalties and tests.</returns>
    public static FactorSet Apply(
        Tape tape,
        AdapterPlan plan,
        IReadOnlyList<LinearPort> linears,
        IReadOnlyList<AttentionPort> attentions,
        IReadOnlyDictionary<string, OnnxTensor>? defaults = null,
        string prefix = "")
    {
        var factors = AddInputs(tape, plan, defaults, prefix);
        var dropout = plan.Options.Dropout > 0 && defaults is null ? new DropoutInputs() : null;
        foreach (var (site, linear) in plan.Sites.All.Zip(linears))
            Join(tape, plan, linear.Output, site.Address, () => plan.Family.Emit(new AdapterPoint(tape, site, linear, dropout), factors));
        foreach (var port in attentions)
            if (plan.Family.Preceding(port.Layer, factors) is { } preceding)
                Join(tape, plan, port.Core.Out, $"layers.{port.Layer}",
                    () => new PrecededAttention(tape, port).Write(preceding, factors.Switch));
        return factors;
    }

    private static void Join(Tape tape, AdapterPlan plan, Value output, string address, Func<Expr> emit)
    {
        using var scope = tape.Scope($"{output.Producer?.Name ?? address}/{plan.Family.Method}");
        var readers = output.Uses.ToHashSet();
        var adapted = emit();
        if (adapted.Value != output) tape.Graph.Splice(output, readers, adapted.Value);
    }

    /// <summary>The factors and the scale as inputs of a graph.</summary>
    public static FactorSet AddInputs(
        Tape tape, AdapterPlan plan, IReadOnlyDictionary<string, OnnxTensor>? defaults = null, string prefix = "")
    {
        var scale = tape.Graph.AddInput(
            prefix + TrainingNames.Scale, ElementType.Float, [], OnnxTensor.Scalar((float)plan.Family.Scale));
        var factors = new SortedDictionary<string, Expr>(StringComparer.Ordinal);
        foreach (var factor in plan.Factors)
        {
            Shape shape = [.. factor.Dims.Select(dim => new Dim(dim))];
            var name = new TensorName(TensorKind.Factor, factor.Name);
            factors[factor.Name] = tape[tape.Graph.AddInput(prefix + name, ElementType.Float, shape, defaults?[factor.Name])];
        }
        return new FactorSet(factors, tape[scale], plan);
    }
}
