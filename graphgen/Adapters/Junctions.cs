using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Where side branches join the linear layers of a deployed graph: x before any rounding, y after bias and rescaling, both float32, and of a packed y this site's features alone.</summary>
internal sealed class Junctions(Model model, Tape tape)
{
    private const string Ms = "com.microsoft";

    private readonly Dictionary<string, (Value X, Value Y)> _unpacked = new(StringComparer.Ordinal);

    /// <summary>Prepares the graph for branches at the given layers.</summary>
    /// <returns>x and y of each layer, in their order.</returns>
    /// <exception cref="LortaException">LRT316: a layer that no branch can join.</exception>
    public IReadOnlyList<(Value Input, Value Output)> Of(IReadOnlyList<LinearSite> linears)
    {
        var found = linears.Select(linear => (Linear: linear, Ends: EndsOf(linear))).ToList();
        var outputs = new Dictionary<LinearSite, Value>();
        foreach (var packed in found.GroupBy(item => item.Ends.Y)) TakeApart(packed.Key, [.. packed.Select(item => item.Linear)], outputs);
        return [.. found.Select(item => (AsFloat(item.Ends.X).Value, outputs[item.Linear]))];
    }

    private (Value X, Value Y) EndsOf(LinearSite linear)
    {
        if (_unpacked.TryGetValue(linear.Stored.Output, out var ends)) return ends;
        var node = model.Graph.Find(linear.Stored.Output)!.Producer!;
        if (node.Is("Attention", Ms) || node.Is("QAttention", Ms)) return _unpacked[linear.Stored.Output] = Unpack(node, linear);
        ends = (Unrounded(node.Input(0)!), OutputOf(node, linear));
        return IsFloat(ends.X) && IsFloat(ends.Y) && ends.Y.Shape?[-1].Value is not null ? ends : throw AdapterErrors.NoBranch(linear.Address, node, "its input or output is not of a float type and a known width");
    }

    private static bool IsFloat(Value value) => value.Type is ElementType.Float or ElementType.Float16 or ElementType.BFloat16;

    private static Value Unrounded(Value x) => x.Producer switch
    {
        { OpType: "DynamicQuantizeLinear" } rounding => rounding.Input(0)!,
        { OpType: "QuantizeLinear" } rounding => rounding.Input(0)!,
        { OpType: "DequantizeLinear" } back when back.Input(0)?.Producer is { OpType: "QuantizeLinear" } rounding => rounding.Input(0)!,
        _ => x,
    };

    // Behind the product: the rescaling of integers, a rounding of the result, the bias.
    private Value OutputOf(Node node, LinearSite linear)
    {
        var y = node.Output;
        if (node.Is("MatMulInteger"))
        {
            var sum = Behind(y, "Cast");
            y = Behind(sum, "Mul");
            if (y == sum) throw AdapterErrors.NoBranch(linear.Address, node, "its sums are read before they are rescaled");
        }
        if (Behind(y, "QuantizeLinear") is var rounded && rounded != y) y = Behind(rounded, "DequantizeLinear");
        return y.Uses.Select(use => use.Node).FirstOrDefault(reader => reader.Is("Add") && reader.Output.Name == linear.Stored.BiasOutput)?.Output ?? y;
    }

    private Value Behind(Value value, string op) => value.Uses is [{ Node: var reader }] && reader.Is(op) && !model.Graph.IsKnownByName(value) ? reader.Output : value;

    // The operator holds its weights inside: it becomes a product and the attention without one.
    private (Value X, Value Y) Unpack(Node node, LinearSite linear)
    {
        var isInteger = node.OpType == "QAttention";
        if (node.Input(isInteger ? 8 : 4) is not null || (!isInteger && node.Input(6) is not null) || node.Outputs.Skip(1).Any(output => output is { Uses.Count: > 0 })) throw AdapterErrors.NoBranch(linear.Address, node, "it keeps a cache inside");
        using var scope = tape.Scope(node.Label);
        var x = tape[Unrounded(node.Input(0)!)];
        var y = isInteger
            ? tape[tape.Write("MatMulIntegerToFloat", Ms, [Optional(0), Optional(1), Optional(3), Optional(4), Optional(6), Optional(7)], 1).Output]
            : x.MatMul(tape[node.Input(1)!]);
        if (node.Input(2) is { } bias) y += tape[bias];
        var width = y.Shape[-1].Value!.Value;
        var widths = FusedAttentionForms.PackedWidths(node, width);
        var parts = widths.Index().Select(part => (Expr?)y.Slice(-1, widths[..part.Index].Sum(), widths[..(part.Index + 1)].Sum())).ToArray();
        var kept = new[] { "num_heads", "scale", "mask_filter_value", "unidirectional" }.Where(node.Attributes.ContainsKey).Select(name => (name, (Attr?)node.Attributes[name]));
        var attention = tape.Write("MultiHeadAttention", Ms, [.. parts, null, Optional(isInteger ? 5 : 3), isInteger ? null : Optional(5)], 1, [.. kept]);
        var name = node.Output.Name;
        model.Graph.ReplaceUses(node.Output, attention.Output);
        model.Graph.Remove(node);
        if (model.Graph.Find(name) is null) model.Graph.Rename(attention.Output, name);
        return (x.Value, y.Value);

        Expr? Optional(int input) => node.Input(input) is { } value ? tape[value] : null;
    }

    // Slices for the sites, joined again in the file's order for those who read y.
    private void TakeApart(Value y, IReadOnlyList<LinearSite> sites, Dictionary<LinearSite, Value> outputs)
    {
        var (readers, width) = (y.Uses.ToHashSet(), y.Shape![-1].Value!.Value);
        using var scope = tape.Scope($"{y.Name}/parts");
        var whole = AsFloat(y);
        var axis = whole.Rank - 1;
        var ranges = sites.SelectMany(site => site.Stored.Columns.Select(range => (range.Start, range.End, Site: (LinearSite?)site))).OrderBy(range => range.Start).ToList();
        var rest = Gaps(ranges.Select(range => (range.Start, range.End)), width).ToList();
        if (ranges.Count == 1 && rest.Count == 0)
        {
            outputs[sites[0]] = whole.Value;
            if (whole.Value != y) Join(y, whole, readers);
            return;
        }
        foreach (var site in sites) outputs[site] = Columns(whole, site.Stored.Columns, axis).Value;
        var order = new List<long>();
        var parts = new List<Expr>();
        foreach (var (columns, part) in sites.Select(site => (site.Stored.Columns, tape[outputs[site]])).Concat(rest.Select(gap => ((IReadOnlyList<(long Start, long End)>)[gap], whole.Slice(axis, gap.Start, gap.End)))).OrderBy(part => part.Item1[0].Start))
        {
            order.AddRange(Ranges.Numbers(columns));
            parts.Add(part);
        }
        var joined = Expr.Concat(axis, [.. parts]);
        if (!order.SequenceEqual(order.Order())) joined = joined.Take([.. order.Index().OrderBy(item => item.Item).Select(item => (long)item.Index)], axis);
        Join(y, joined, readers);
    }

    private void Join(Value y, Expr joined, HashSet<Use> readers)
    {
        model.Graph.Splice(y, readers, joined.Cast(y.Type).Value);
    }

    private Expr AsFloat(Value value) => tape[value].Cast(ElementType.Float);

    private static Expr Columns(Expr whole, IReadOnlyList<(long Start, long End)> ranges, int axis) =>
        ranges is [var (start, end)] ? whole.Slice(axis, start, end) : whole.Take([.. Ranges.Numbers(ranges)], axis);

    private static IEnumerable<(long Start, long End)> Gaps(IEnumerable<(long Start, long End)> ranges, long width)
    {
        var at = 0L;
        foreach (var (start, end) in ranges)
        {
            if (start > at) yield return (at, start);
            at = end;
        }
        if (at < width) yield return (at, width);
    }
}
