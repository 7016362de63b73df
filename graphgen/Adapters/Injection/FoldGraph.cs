using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Computes folded weights and ΔW by running the family's own graph.</summary>
/// <param name="plan">The adapter.</param>
/// <param name="factors">Its factors by name.</param>
/// <param name="evaluator">Runs the graph.</param>
internal sealed class FoldGraph(AdapterPlan plan, IReadOnlyDictionary<string, OnnxTensor> factors, IGraphEvaluator evaluator)
{
    private const string Weight = "weight";
    private const string Bias = "bias";

    /// <summary>Whether W′ = W + ΔW and b stays.</summary>
    private bool IsAdditive { get; } = IsSum(plan);

    /// <summary>Whether the family's change of every output is a sum of y and something made of x.</summary>
    public static bool IsSum(AdapterPlan plan)
    {
        if (plan.Sites.All.Count == 0) return true;
        var tape = new Tape(new Graph("sum"));
        return plan.Family.Delta(plan.Sites.All[0], AdapterInjection.AddInputs(tape, plan)) is not null;
    }

    /// <summary>Whether the family folds at the plan's sites; asked without any numbers.</summary>
    public static bool IsPossible(AdapterPlan plan)
    {
        if (plan.Family.Targets.AreParameters) return true;   // they are written back to where the model has them
        if (plan.Family.Targets.AreAttention || plan.Sites.All.Count == 0) return false;   // no weight holds what comes before keys
        var site = plan.Sites.All[0];
        var tape = new Tape(new Graph($"fold {site.Address}"));
        var weight = tape[tape.Graph.AddInput(Weight, ElementType.Float, [site.In, site.Out])];
        return plan.Family.Fold(site, weight, null, AdapterInjection.AddInputs(tape, plan)) is not null;
    }

    /// <summary>W′ [in, out] and, where the site has one, b′ [out].</summary>
    /// <returns>Null where the family cannot be folded.</returns>
    public (OnnxTensor Weight, OnnxTensor? Bias)? Fold(AdapterSite site, OnnxTensor weight, OnnxTensor? bias)
    {
        var (graph, tape, set) = Begin(site);
        var w = tape[graph.AddInput(Weight, ElementType.Float, Shape.Of(weight))];
        var b = bias is null ? (Expr?)null : tape[graph.AddInput(Bias, ElementType.Float, Shape.Of(bias))];
        if (plan.Family.Fold(site, w, b, set) is not { } folded) return null;
        graph.AddOutput(folded.Weight.Value);
        var hasBias = folded.Bias is { } changed && changed.Value != b?.Value;
        if (hasBias) graph.AddOutput(folded.Bias!.Value.Value);
        var inputs = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal) { [Weight] = weight };
        if (bias is not null) inputs[Bias] = bias;
        var outputs = Run(graph, inputs);
        return (outputs[folded.Weight.Value.Name], hasBias ? outputs[folded.Bias!.Value.Value.Name] : bias);
    }

    /// <summary>b′, [out], where it is another one than b.</summary>
    /// <param name="site">The linear layer.</param>
    /// <param name="weight">Reads W [in, out]; asked only where b′ depends on it.</param>
    /// <param name="bias">Reads b, [out]; asked only where b′ depends on it. Null where the layer has none.</param>
    public OnnxTensor? FoldBias(AdapterSite site, Func<OnnxTensor> weight, Func<OnnxTensor>? bias)
    {
        if (IsAdditive) return null;
        var (graph, tape, set) = Begin(site);
        var w = tape[graph.AddInput(Weight, ElementType.Float, [site.In, site.Out])];
        var b = bias is null ? (Expr?)null : tape[graph.AddInput(Bias, ElementType.Float, [site.Out])];
        if (plan.Family.Fold(site, w, b, set)?.Bias is not { } changed || changed.Value == b?.Value) return null;
        graph.AddOutput(changed.Value.IsInput ? tape.Op("Identity", [changed]).Value : changed.Value);
        graph.RemoveUnused();
        graph.RemoveUnusedInputs();
        var inputs = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        if (graph.Find(Weight) is not null) inputs[Weight] = weight();
        if (graph.Find(Bias) is not null) inputs[Bias] = bias!();
        return Run(graph, inputs).Values.Single();
    }

    /// <summary>ΔW as a layout has it; null where the change is no sum.</summary>
    public OnnxTensor? Delta(AdapterSite site, Layout layout = Layout.InOut)
    {
        var (graph, tape, set) = Begin(site);
        if (plan.Family.Delta(site, set) is not { } delta) return null;
        if (layout is Layout.OutIn) delta = Transposed(tape, delta);
        graph.AddOutput(delta.Value);
        return Run(graph, new Dictionary<string, OnnxTensor>(StringComparer.Ordinal))[delta.Value.Name];
    }

    /// <summary>A and B of ΔW = A·Bᵀ; null where the change is no such product.</summary>
    public (OnnxTensor A, OnnxTensor B)? AsLora(AdapterSite site)
    {
        var (graph, tape, set) = Begin(site);
        if (plan.Family.AsLora(site, set) is not var (a, b)) return null;
        var (down, up) = (tape.Op("Identity", [a]), tape.Op("Identity", [b]));   // a factor itself is an input, and no output
        graph.AddOutput(down.Value);
        graph.AddOutput(up.Value);
        var outputs = Run(graph, new Dictionary<string, OnnxTensor>(StringComparer.Ordinal));
        return (outputs[down.Value.Name], outputs[up.Value.Name]);
    }

    // (a·b)ᵀ = bᵀ·aᵀ: the factors are narrow, while their product is as large as the weight.
    private static Expr Transposed(Tape tape, Expr delta)
    {
        if (delta.Value.Producer is not { Op: "MatMul" or OrtOps.FusedMatMul } product || delta.Rank != 2) return delta.T;
        var (a, b) = (tape[product.Input(0)!], tape[product.Input(1)!]);
        if (a.Rank != 2 || b.Rank != 2) return delta.T;
        return (product.Int("transB", 0) == 1 ? b : b.T).MatMul(product.Int("transA", 0) == 1 ? a : a.T, product.Float("alpha", 1));
    }

    private (Graph Graph, Tape Tape, FactorSet Factors) Begin(AdapterSite site)
    {
        var graph = new Graph($"fold {site.Address}");
        var tape = new Tape(graph);
        return (graph, tape, AdapterInjection.AddInputs(tape, plan, factors));
    }

    private IReadOnlyDictionary<string, OnnxTensor> Run(Graph graph, Dictionary<string, OnnxTensor> inputs)
    {
        graph.RemoveUnused();
        graph.RemoveUnusedInputs();
        return evaluator.Run(
            OnnxModel.ForRuntime(graph), inputs.Where(input => graph.Find(input.Key) is not null).ToDictionary(StringComparer.Ordinal));
    }
}
