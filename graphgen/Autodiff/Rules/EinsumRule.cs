using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>The rule of <c>Einsum</c>. "a,b→y" ⇒ "y,b→a" and "y,a→b"; a letter that one operand alone has was summed, so its gradient is
/// the same everywhere along it.</summary>
internal static class EinsumRule
{
    private const string Ellipsis = "...";
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    public static IReadOnlyList<Expr?> Gradients(GradientCall r)
    {
        var equation = r.String("equation", string.Empty).Replace(" ", string.Empty, StringComparison.Ordinal);
        var (terms, result) = Explicit(r, equation);
        if (terms.Append(result).Any(term => term.Distinct().Count() < term.Length))
            throw r.Refusal($"the equation '{equation}' has a letter twice in one operand");
        return [.. terms.Select((_, i) => (Expr?)Operand(r, terms, result, i))];
    }

    private static Expr Operand(GradientCall r, string[] terms, string result, int i)
    {
        var others = terms.Index().Where(term => term.Index != i).ToArray();
        var alone = terms[i].Except(result + string.Concat(others.Select(term => term.Item))).ToArray();
        var reached = string.Concat(terms[i].Except(alone));
        var operands = string.Join(',', others.Select(term => term.Item).Prepend(result));
        Expr?[] inputs = [r.G, .. others.Select(term => r.Inputs[term.Index])];
        var gradient = r.Tape.Op("Einsum", inputs, ("equation", $"{operands}->{reached}"));
        if (alone.Length == 0) return gradient;
        var axes = alone.Select(letter => (long)terms[i].IndexOf(letter, StringComparison.Ordinal)).Order();
        return gradient.Unsqueeze([.. axes]).ExpandLike(r.Inputs[i]);
    }

    // Letters of their own for the axes of an ellipsis, counted from the last; the result as it is implied where it is not said.
    private static (string[] Terms, string Result) Explicit(GradientCall r, string equation)
    {
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        var free = string.Concat(Letters.Where(letter => !equation.Contains(letter, StringComparison.Ordinal)));
        var spared = terms.Select((term, i) => HasEllipsis(term) ? r.Inputs[i].Rank - term.Length + Ellipsis.Length : 0).ToArray();
        var most = spared.Max();
        var result = sides.Length > 1 ? sides[1] : (HasEllipsis(equation) ? Ellipsis : string.Empty) + Once(sides[0]);
        return ([.. terms.Select((term, i) => Spelled(term, spared[i]))], Spelled(result, most));

        string Spelled(string term, int axes) => term.Replace(Ellipsis, free[(most - axes)..most], StringComparison.Ordinal);
    }

    private static bool HasEllipsis(string term) => term.Contains(Ellipsis, StringComparison.Ordinal);

    private static string Once(string operands)
    {
        var once = operands.Where(char.IsLetter).GroupBy(letter => letter).Where(group => group.Count() == 1).Select(group => group.Key);
        return string.Concat(once.Order());
    }
}
