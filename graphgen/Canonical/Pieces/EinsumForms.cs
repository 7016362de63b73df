using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>An <c>Einsum</c> that is a matrix product becomes one, so that attention and linear layers written with it are found; others
/// stay as they are.</summary>
internal static class EinsumForms
{
    public static readonly Form[] All = [new Replace("matrix product as Einsum", "Einsum", Product)];

    private static Outcome Product(Node node, Rewriting rewriting)
    {
        if (node.Inputs.Count != 2) return "it is not of two operands";
        if (Einsum.Of(node) is not { } einsum) return "its equation is not a product of two matrices, or a shape is not known";
        return rewriting.Substitute(node,
            (_, at) => [einsum.Emit(at.Tape[node.Inputs[0]!], at.Tape[node.Inputs[1]!])]);
    }

    /// <summary>"a,b→y" whose letters are of four kinds: in all three (batch), in both operands (summed), in one operand and the result
    /// (rows of a, columns of b).</summary>
    private sealed record Einsum(string A, string B, string Batch, string Rows, char Summed, char Column, string Result)
    {
        public static Einsum? Of(Node node)
        {
            if (node.Inputs.Any(input => input?.Shape is null)) return null;
            var equation = node.String("equation", string.Empty).Replace(" ", string.Empty, StringComparison.Ordinal);
            if (equation.Split("->") is not [var operands, var result] || operands.Split(',') is not [var a, var b]) return null;
            if (new[] { a, b, result }.Any(term => !term.All(char.IsLetter) || term.Distinct().Count() < term.Length)) return null;
            var (batch, summed) = (Letters(a.Intersect(b).Intersect(result)), Letters(a.Intersect(b).Except(result)));
            var (rows, columns) = (Letters(a.Except(b)), Letters(b.Except(a)));
            if (summed.Length != 1
                || columns.Length != 1
                || rows.Length == 0
                || batch.Length + rows.Length + 1 != result.Length
                || (rows + columns).Except(result).Any())
                return null;
            return batch.Length == 0 || rows.Length == 1 ? new Einsum(a, b, batch, rows, summed[0], columns[0], result) : null;
        }

        // [batch.., rows.., summed] · [batch.., summed, column] → [batch.., rows.., column]
        public Expr Emit(Expr a, Expr b)
        {
            var left = Ordered(a, A, $"{Batch}{Rows}{Summed}");
            var right = B.EndsWith(Summed) ? Ordered(b, B, $"{Batch}{Column}{Summed}").T : Ordered(b, B, $"{Batch}{Summed}{Column}");
            return Ordered(left.MatMul(right), $"{Batch}{Rows}{Column}", Result);
        }

        private static Expr Ordered(Expr x, string from, string to) =>
            from == to ? x : x.MoveAxes([.. to.Select(letter => from.IndexOf(letter, StringComparison.Ordinal))]);

        private static string Letters(IEnumerable<char> letters) => string.Concat(letters);
    }
}
