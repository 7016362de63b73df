using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Products of one matrix with several narrow ones become one product with these side by side: x·[A₁ A₂ A₃], [G₁ G₂ G₃]·[A₁ A₂
/// A₃]ᵀ and xᵀ·[G₁ G₂ G₃].</summary>
/// <remarks>LoRA's factors of q, k and v all multiply the same x. A card needs as long for 8 columns as for 24; a CPU gains
/// nothing.</remarks>
internal sealed class JoinedProducts
{
    private readonly Graph _graph;
    private readonly Tape _tape;

    private JoinedProducts(Graph graph) => (_graph, _tape) = (graph, new Tape(graph));

    /// <summary>Joins the products of a training graph whose gradients are its outputs.</summary>
    public static void In(Graph graph)
    {
        var joined = new JoinedProducts(graph);
        joined.Join("MatMul", transA: false, node => IsTrained(node.Input(1)!));
        joined.Join(OrtOps.FusedMatMul, transA: true, node => graph.IsOutput(node.Output) && node.Output.Uses.Count == 0);
        foreach (var sum in graph.Nodes.Where(node => node.Op == "Sum").ToArray()) joined.JoinTerms(sum);
        graph.RemoveUnused();
    }

    // x·A₁, x·A₂, … → the columns of x·[A₁ A₂ …]. What is joined does not depend on these products: neither trained tensors nor, of a
    // product that nothing but an output reads, other gradients.
    private void Join(string op, bool transA, Func<Node, bool> isJoined)
    {
        var groups = _graph.Nodes
            .Where(node => node.Op == op
                && node.Input(1)!.Shape is { Rank: 2 }
                && Width(node) is not null
                && Is(node, transA, transB: false)
                && isJoined(node))
            .GroupBy(node => node.Input(0)!)
            .Select(group => group.ToArray())
            .Where(group => group.Length > 1)
            .ToArray();
        foreach (var group in groups)
        {
            using var scope = _tape.Scope($"{group[0].Output.Name}_joined");
            var right = SideBySide(group.Select(node => node.Input(1)!));
            var left = _tape[group[0].Input(0)!];
            var product = transA ? Product(left, right, transA: true, transB: false) : left.MatMul(right);
            var parts = _tape.Write(
                "Split", [product, _tape.Longs([.. group.Select(node => Width(node)!.Value)])], group.Length, ("axis", -1)).Outputs;
            foreach (var (node, part) in group.Zip(parts)) _graph.ReplaceUses(node.Output, part!);
        }
    }

    // G₁·A₁ᵀ + G₂·A₂ᵀ + … → [G₁ G₂ …]·[A₁ A₂ …]ᵀ
    private void JoinTerms(Node sum)
    {
        var terms = sum.Inputs.OfType<Value>().Select(term => term.Producer).OfType<Node>()
            .Where(node => node.Op == OrtOps.FusedMatMul && Is(node, transA: false, transB: true) && IsTrained(node.Input(1)!))
            .Where(node => node.Output.Uses.Count == 1 && !_graph.IsOutput(node.Output))
            .ToArray();
        if (terms.Length < 2) return;
        using var scope = _tape.Scope($"{sum.Output.Name}_joined");
        var product = Product(
            SideBySide(terms.Select(node => node.Input(0)!)),
            SideBySide(terms.Select(node => node.Input(1)!)),
            transA: false,
            transB: true);
        var rest = sum.Inputs.Where(input => !terms.Contains(input!.Producer)).Select(input => (Expr?)_tape[input!]);
        _graph.ReplaceUses(sum.Output, _tape.Op("Sum", [.. rest, product]).Value);
    }

    private Expr SideBySide(IEnumerable<Value> values) => Expr.Concat(-1, [.. values.Select(value => _tape[value])]);

    private Expr Product(Expr a, Expr b, bool transA, bool transB) =>
        _tape.Op(OrtOps.FusedMatMul, [a, b], ("transA", transA ? 1 : 0), ("transB", transB ? 1 : 0), ("alpha", 1f));

    private static bool Is(Node node, bool transA, bool transB) =>
        node.Int("transA", 0) == (transA ? 1 : 0) && node.Int("transB", 0) == (transB ? 1 : 0) && node.Float("alpha", 1) == 1
        && node.Int("transBatchA", 0) == 0 && node.Int("transBatchB", 0) == 0;

    private static long? Width(Node node) => node.Input(1)!.Shape![-1].Value;

    // An input of the graph, or a part of one.
    private static bool IsTrained(Value value) =>
        value.IsInput || (value.Producer is { } split && split.Op == "Split" && split.Input(0)!.IsInput);
}
