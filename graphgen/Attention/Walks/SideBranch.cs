using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>Linear layers with branches beside them, y = x·W + b + f(x): adapters that were exported without folding.</summary>
internal static class SideBranch
{
    private const int MaxNodes = 64;   // nodes of a branch

    /// <summary>The operand of a sum that is the layer, where the other one is made from the layer's own input; null where there is no such
    /// sum.</summary>
    public static Value? LayerUnder(Value sum)
    {
        if (sum.Producer is not { Op: "Add" } add) return null;
        var (a, b) = (add.Inputs[0]!, add.Inputs[1]!);
        if (IsLayer(a, b)) return a;
        return IsLayer(b, a) ? b : null;
    }

    /// <summary>The same where the branch is made from the layer's input alone, as opposed to its result: x + x³ is no branch.</summary>
    public static Value? LayerBeside(Value sum) =>
        LayerUnder(sum) is { } layer && sum.Producer!.Inputs.All(input => input == layer || !IsMadeFrom(layer, input!)) ? layer : null;

    /// <summary>Of several readers of x the layer that a branch joins.</summary>
    public static LinearLayer? LayerOn(Value x, IEnumerable<Node> readers) =>
        readers.Select(LinearLayer.StartingAt)
            .OfType<LinearLayer>()
            .FirstOrDefault(linear => linear.Input == x && Sums(linear.Output).Any(sum => LayerUnder(sum) == linear.Output));

    private static IEnumerable<Value> Sums(Value value) => value.Uses.Where(use => use.Node.Op == "Add").Select(use => use.Node.Output);

    private static bool IsLayer(Value layer, Value branch) => LayerOf(layer) is { } linear && IsMadeFrom(linear.Input, branch);

    // Several branches, of adapters that were added one after the other, are sums of sums.
    private static LinearLayer? LayerOf(Value value) =>
        LinearLayer.EndingAt(Whole(value)) ?? (LayerUnder(value) is { } layer ? LayerOf(layer) : null);

    private static Value Whole(Value part)
    {
        while (part.Producer is { Op: "Slice" or "Split" or "Gather" or "Cast" } node) part = node.Input(0)!;
        return part;
    }

    private static bool IsMadeFrom(Value source, Value value)
    {
        var (open, seen) = (new Queue<Value>([value]), new HashSet<Value>());
        while (open.TryDequeue(out var at) && seen.Count < MaxNodes)
        {
            if (at == source) return true;
            if (!seen.Add(at) || at.Producer is not { } node) continue;
            foreach (var input in node.Inputs.OfType<Value>()) open.Enqueue(input);
        }
        return false;
    }
}
