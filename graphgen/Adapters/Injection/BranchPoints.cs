using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Fused;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Where side branches join the linear layers of a deployed graph: x before any rounding, y after bias and rescaling, both
/// float32, and of a packed y this site's features alone.</summary>
/// <param name="model">The graph that gets the branches.</param>
/// <param name="deployed">The model as it was, which holds the weights.</param>
/// <param name="tape">Tape of the graph.</param>
/// <param name="pullBiases">Whether biases that an operator behind the product adds inside come out of it, so that y is what it is after
/// the bias. Where branches are only added to y, that makes no difference.</param>
internal sealed class BranchPoints(OnnxModel model, OnnxModel deployed, Tape tape, bool pullBiases)
{
    private readonly Dictionary<string, Ends> _unpacked = new(StringComparer.Ordinal);
    private readonly PulledBiases _pulled = new(model, tape);

    /// <summary>Prepares the graph for branches at the given layers.</summary>
    /// <param name="linears">The layers.</param>
    /// <returns>The layers, in their order.</returns>
    /// <exception cref="LortaException">LRT316: a layer that no branch can join.</exception>
    public IReadOnlyList<LinearPort> Of(IReadOnlyList<Projection> linears)
    {
        if (pullBiases) _pulled.Out(linears);
        var found = linears.Select(linear => (Linear: linear, Ends: EndsOf(linear))).ToList();
        var outputs = new Dictionary<Projection, Value>();
        foreach (var packed in found.GroupBy(item => item.Ends.Y))
            TakeApart(packed.First().Ends, [.. packed.Select(item => item.Linear)], outputs);
        return [.. found.Select(item => PortOf(item.Linear, item.Ends, outputs[item.Linear]))];
    }

    private LinearPort PortOf(Projection linear, Ends ends, Value output)
    {
        var isOfIntegers = ends.Product.Op is "MatMulInteger" or "QLinearMatMul" or OrtOps.MatMulIntegerToFloat or OrtOps.QGemm
            or OrtOps.DynamicQuantizeMatMul;
        return new LinearPort(AsFloat(ends.X).Value, output, RowsOf(ends).Value)
        {
            Columns = ends.Y.Shape?[ends.FeatureAxis].Value == linear.Out ? null : linear.Stored.Columns,
            BiasUse = ends.BiasUse ?? BiasUseOf(ends.Product, linear),
            Weight = () => LinearPort.NumbersOf(deployed, linear),
            Source = ends.Source ?? ends.X,
            Order = ends.OrderOfX,
            Dequantized = isOfIntegers ? () => Dequantized(linear, ends.Product) : null,
            Obstacle = why => AdapterErrors.NoBranch(linear.Address, ends.Product, why),
        };
    }

    // W of all features, [in, out], from the codes that the file stores.
    private Expr Dequantized(Projection linear, Node product)
    {
        if (linear.Stored is not { Codes: { } layout, Factor: null } stored)
            throw AdapterErrors.NoBranch(linear.Address, product, "its weight is scaled on the way to the product");
        var scales = deployed.Graph.Find(layout.Scales)!.StoredTensor()!.ToFloats();
        var zeros = layout.ZeroPoints is { } name ? deployed.Graph.Find(name)!.StoredTensor()! : null;
        var codes = tape[model.Graph.Find(stored.Weight)!].Reshape(layout.Rows, layout.Columns);
        Expr? zero = zeros is null ? null : tape.Constant(zeros.Count == 1 ? zeros.WithDims([]) : zeros.WithDims([zeros.Count]));
        var scale = tape.Constant(scales is [var single] ? OnnxTensor.Scalar(single) : OnnxTensor.Vector<float>(scales));
        if (zeros is { Count: 1 } && scales.Length > 1) zero = zero!.Value.Reshape(1).ExpandLike(scale);
        var weight = tape.Op("DequantizeLinear", [codes, scale, zero], ("axis", stored.Layout is Layout.OutIn ? 0 : 1));
        return stored.Layout is Layout.OutIn ? weight.T : weight;
    }

    private Use? BiasUseOf(Node product, Projection linear)
    {
        if (linear.Stored.Bias is not { } bias || linear.Stored.BiasOutput is not { } output) return null;
        if (_pulled.SumOf(linear) is { } sum) return new Use(sum.Producer!, 1);
        var reader = output == product.Output.Name ? product : model.Graph.Find(output)?.Producer;
        return StoredPath.ReadersOf(model.Graph.Find(bias)!).Cast<Use?>().FirstOrDefault(use => use!.Value.Node == reader);
    }

    private Ends EndsOf(Projection linear)
    {
        if (_unpacked.TryGetValue(linear.Stored.Output, out var ends)) return ends;
        var node = model.Graph.Find(linear.Stored.Output)!.Producer!;
        if (node.Op == OrtOps.Attention || node.Op == OrtOps.QAttention) return _unpacked[linear.Stored.Output] = Unpack(node, linear);
        ends = EndsOf(node, linear);
        return IsFloat(ends.X) && (IsFloat(ends.Y) || ends.Rounding is not null) && ends.Y.Shape?[ends.FeatureAxis].Value is not null
            ? ends
            : throw AdapterErrors.NoBranch(linear.Address, node, "its input or output is not of a float type and a known width");
    }

    private Ends EndsOf(Node node, Projection linear)
    {
        using var scope = tape.Scope(node.Label);
        var (y, isMoved, isSqueezed) = OutputOf(node, linear);
        if (HasMovedFeatures(node))
        {
            var x = node.Input(node.Op == "Conv" ? 0 : 1)!;
            if (isSqueezed)
                x = BeforeAxes(x, y) ?? throw AdapterErrors.NoBranch(linear.Address, node, "its bias has other axes than its input");
            if (x.Shape is not { Rank: var rank }) throw AdapterErrors.NoBranch(linear.Address, node, "the rank of its input is not known");
            var order = OrderOfRows(node, rank);
            return new Ends(tape[x].MoveAxes(order).Value, y, node) { Order = isMoved ? null : order, Source = x, OrderOfX = order };
        }
        if (y == node.Output && node.Float("alpha", 1) != 1 && node.Op == OrtOps.FusedMatMul) SplitScale(node);
        var input = linear.Stored.Factor?.ByInput is null ? Unrounded(node) : InputScale.Of(node)!;
        return new Ends(input, y, node) { Rounding = node.Op == "QLinearMatMul" && y == node.Output ? node : null };
    }

    // Whether it takes and gives features on another axis than the last.
    private static bool HasMovedFeatures(Node node) =>
        node.Op == "Conv" || (node.Op == "MatMul" && StoredPath.Of(node.Input(0)) is not null);

    // What the axes were added to that are dropped again in front of y.
    private static Value? BeforeAxes(Value x, Value y) =>
        x.Producer is { Op: "Unsqueeze" } added && added.Operand(0) is { Shape: { } shape } narrow && shape.Rank == y.Shape?.Rank
            ? narrow
            : null;

    // From features on the second axis (Conv), or the last but one (weights on the left), to rows.
    private static int[] OrderOfRows(Node node, int rank) =>
        node.Op == "Conv" ? [0, .. Enumerable.Range(2, rank - 2), 1] : [.. Enumerable.Range(0, rank - 2), rank - 1, rank - 2];

    // The factor inside of a product comes behind the branch.
    private void SplitScale(Node node)
    {
        var (alpha, readers) = (node.Float("alpha", 1), node.Output.Uses.ToHashSet());
        node.Attributes.Remove("alpha");
        var scaled = (tape[node.Output] * tape.Constant(OnnxTensor.Scalar(alpha)).Cast(node.Output.Type)).Value;
        model.Graph.Splice(node.Output, readers, scaled);
    }

    private static bool IsFloat(Value value) => value.Type is ElementType.Float or ElementType.Float16 or ElementType.BFloat16;

    // x before it is rounded; of a product of codes, widened again where nothing else is left.
    private Value Unrounded(Node node) => node.Input(0)!.Producer switch
    {
        { Op: "DynamicQuantizeLinear" } rounding => rounding.Input(0)!,
        { Op: "DequantizeLinear" or OrtOps.DequantizeLinear } back when back.Input(0)!.Producer is { } rounding && IsRounding(rounding) =>
            rounding.Input(0)!,
        { } rounding when IsRounding(rounding) => rounding.Input(0)!,
        _ when node.Op == "QLinearMatMul" => Widened(node.Input(0)!, node.Input(1)!, node.Input(2)),
        _ when node.Op == OrtOps.MatMulIntegerToFloat => Widened(node.Input(0)!, node.Input(2)!, node.Input(4)),
        _ => node.Input(0)!,
    };

    private static bool IsRounding(Node node) => node.Op is "QuantizeLinear" or OrtOps.QuantizeLinear;

    private Value Widened(Value codes, Value scale, Value? zero) =>
        tape.Op("DequantizeLinear", [tape[codes], tape[scale], zero is null ? null : tape[zero]]).Value;

    // Behind the product: the rescaling of integers, a rounding of the result, a scale, axes that are moved back or dropped, the bias.
    private (Value Y, bool IsMoved, bool IsSqueezed) OutputOf(Node node, Projection linear)
    {
        if (_pulled.SumOf(linear) is { } pulled) return (pulled, false, false);
        var y = node.Output;
        if (node.Op == "MatMulInteger")
        {
            var sum = Behind(y, "Cast");
            y = Behind(sum, "Mul");
            if (y == sum) throw AdapterErrors.NoBranch(linear.Address, node, "its sums are read before they are rescaled");
        }
        if (Behind(y, "QuantizeLinear") is var rounded && rounded != y) y = Behind(rounded, "DequantizeLinear");
        if (node.Op == "QLinearMatMul") y = Behind(y, "DequantizeLinear");
        var at = y;
        // Behind a product on rows, axes that are moved or dropped are no longer those of its rows, and x has not moved along.
        string[] between = HasMovedFeatures(node) ? ["Mul", "Div", "Transpose", "Squeeze"] : ["Mul", "Div"];
        var isMoved = false;
        var isSqueezed = false;
        while (linear.Stored.BiasOutput is { } biasOutput && biasOutput != node.Output.Name)
        {
            var sum = at.Uses.Select(use => use.Node).FirstOrDefault(reader => reader.Op == "Add" && reader.Output.Name == biasOutput);
            if (sum is not null) return (sum.Output, isMoved, isSqueezed);
            if (at.Uses is not [{ Node: var next }] || !between.Contains(next.Op))
            {
                if (pullBiases) throw AdapterErrors.NoBranch(linear.Address, node, "what is between it and its bias is not known");
                break;
            }
            at = next.Output;
            isMoved |= next.Op == "Transpose";
            isSqueezed |= next.Op == "Squeeze";
        }
        return (y, false, false);
    }

    private Value Behind(Value value, string op) =>
        value.Uses is [{ Node: var reader }] && reader.Op == op && !model.Graph.IsKnownByName(value) ? reader.Output : value;

    // The operator holds its weights inside: it becomes a product and the attention without one.
    private Ends Unpack(Node node, Projection linear)
    {
        var isInteger = node.Op == OrtOps.QAttention;
        var hasPast = node.Input(isInteger ? 8 : 4) is not null || (!isInteger && node.Input(6) is not null);
        if (hasPast || node.Outputs.Skip(1).Any(output => output is { Uses.Count: > 0 }))
            throw AdapterErrors.NoBranch(linear.Address, node, "it keeps a cache inside");
        using var scope = tape.Scope(node.Label);
        var x = tape[Unrounded(node)];
        var y = isInteger
            ? tape.Op(OrtOps.MatMulIntegerToFloat, [Optional(0), Optional(1), Optional(3), Optional(4), Optional(6), Optional(7)])
            : x.MatMul(tape[node.Input(1)!]);
        var product = y.Value.Producer!;
        if (node.Input(2) is { } bias) y += tape[bias];
        var width = y.Shape[-1].Value!.Value;
        var parts = FusedAttentionForms.PackedParts(node, y, width).Select(part => (Expr?)part).ToArray();
        var kept = new[] { "num_heads", "scale", "mask_filter_value", "unidirectional" }
            .Where(node.Attributes.ContainsKey)
            .Select(name => (name, (OnnxAttribute?)node.Attributes[name]));
        var attention = tape.Write(OrtOps.MultiHeadAttention,
            [.. parts, null, Optional(isInteger ? 5 : 3), isInteger ? null : Optional(5)], 1, [.. kept]);
        var name = node.Output.Name;
        model.Graph.ReplaceUses(node.Output, attention.Output);
        model.Graph.Remove(node);
        if (model.Graph.Find(name) is null) model.Graph.Rename(attention.Output, name);
        return new Ends(x.Value, y.Value, product)
        {
            BiasUse = y.Value == product.Output ? null : new Use(y.Value.Producer!, 1),
        };

        Expr? Optional(int input) => node.Input(input) is { } value ? tape[value] : null;
    }

    private void TakeApart(Ends ends, IReadOnlyList<Projection> sites, Dictionary<Projection, Value> outputs)
    {
        var readers = ends.Y.Uses.ToHashSet();
        using var scope = tape.Scope($"{ends.Y.Name}/parts");
        var (parts, joined) = PackedOutput.TakeApart(RowsOf(ends), [.. sites.Select(site => site.Stored.Columns)]);
        foreach (var (site, part) in sites.Zip(parts)) outputs[site] = part.Value;
        if (joined.Value != ends.Y) Join(ends, joined, readers);
    }

    private void Join(Ends ends, Expr joined, HashSet<Use> readers)
    {
        if (ends.Order is { } order) joined = joined.MoveAxes([.. order.Index().OrderBy(item => item.Item).Select(item => item.Index)]);
        var value = (ends.Rounding is { } rounding
            ? tape.Op("QuantizeLinear", [joined, tape[rounding.Input(6)!], tape[rounding.Input(7)!]])
            : joined.Cast(ends.Y.Type)).Value;
        model.Graph.Splice(ends.Y, readers, value);
    }

    // y in float32, features last.
    private Expr RowsOf(Ends ends)
    {
        var y = ends.Rounding is { } rounding
            ? tape.Op("DequantizeLinear", [tape[ends.Y], tape[rounding.Input(6)!], tape[rounding.Input(7)!]])
            : AsFloat(ends.Y);
        return ends.Order is { } order ? y.MoveAxes(order) : y;
    }

    private Expr AsFloat(Value value) => tape[value].Cast(ElementType.Float);

    /// <summary>Where a branch leaves the graph and comes back.</summary>
    /// <param name="X">x, features last.</param>
    /// <param name="Y">y as the file has it.</param>
    /// <param name="Product">The node that applies the weight.</param>
    private sealed record Ends(Value X, Value Y, Node Product)
    {
        /// <summary>The order of axes that brings the features of y to the last one; null where they are there.</summary>
        public int[]? Order { get; init; }

        /// <summary>What the file has instead of x, where its axes are in another order; null = x.</summary>
        public Value? Source { get; init; }

        /// <summary>The order of axes that makes x of it.</summary>
        public int[]? OrderOfX { get; init; }

        /// <summary>The product whose scale and zero point y is rounded with; null where it is not.</summary>
        public Node? Rounding { get; init; }

        /// <summary>Where the bias of an operator that came apart is read.</summary>
        public Use? BiasUse { get; init; }

        public int FeatureAxis => Order is null ? -1 : Order[^1];
    }
}
