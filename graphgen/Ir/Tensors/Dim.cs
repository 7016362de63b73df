using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LoRTA.Onnx.GraphGen.Ir.Tensors;

/// <summary>One dimension of a shape: a number, a symbol (<c>batch</c>), or a polynomial of symbols (<c>4*batch</c>, <c>past +
/// sequence</c>) in normal form.</summary>
/// <remarks>Normal form: monomials in ordinal order, each with its integer coefficient; two dimensions are equal when their normal forms
/// are.</remarks>
[Experimental(Unsettled.Id)]
public readonly struct Dim : IEquatable<Dim>
{
    private const char Times = '\u00d7';   // never part of a symbol's own name

    private static readonly (string Monomial, long Coefficient)[] Zero = [];
    private static readonly Comparer<string> Monomials = Comparer<string>.Create((a, b) =>
        Split(a).Zip(Split(b), string.CompareOrdinal).FirstOrDefault(order => order != 0));

    // Monomial = symbols in ordinal order joined by ×; the empty monomial holds the constant. Null stands for zero (default).
    private readonly (string Monomial, long Coefficient)[]? _terms;

    private Dim((string Monomial, long Coefficient)[] terms) => _terms = terms;

    /// <summary>A known size.</summary>
    public Dim(long value) => _terms = value == 0 ? Zero : [(string.Empty, value)];

    private (string Monomial, long Coefficient)[] Terms => _terms ?? Zero;

    /// <summary>A size known by name only.</summary>
    public static Dim Symbol(string name) => new([(name.Replace(Times, '*'), 1)]);

    /// <summary>Whether the size is a number.</summary>
    public bool IsKnown => Terms is [] or [("", _)];

    /// <summary>The number, or null where the size is symbolic.</summary>
    public long? Value => Terms switch { [] => 0, [("", var value)] => value, _ => null };

    /// <summary>Whether the size is known to be <paramref name="value"/>.</summary>
    public bool Is(long value) => Value == value;

    /// <summary>A known size.</summary>
    public static implicit operator Dim(long value) => new(value);

    /// <summary>Sum.</summary>
    public static Dim operator +(Dim a, Dim b) => Normal(a.Terms.Concat(b.Terms));

    /// <summary>Difference.</summary>
    public static Dim operator -(Dim a, Dim b) => a + (b * -1);

    /// <summary>Product.</summary>
    public static Dim operator *(Dim a, Dim b) =>
        Normal(from x in a.Terms from y in b.Terms select (Join(x.Monomial, y.Monomial), checked(x.Coefficient * y.Coefficient)));

    /// <summary>Equality of normal forms.</summary>
    public static bool operator ==(Dim a, Dim b) => a.Equals(b);

    /// <summary>Inequality of normal forms.</summary>
    public static bool operator !=(Dim a, Dim b) => !a.Equals(b);

    /// <summary>a / b where that is exact for every value of the symbols, else null.</summary>
    public static Dim? Divide(Dim a, Dim b)
    {
        if (b.Terms is []) return null;
        var (divisor, quotient) = (b.Leading, new Dim(0));
        for (var rest = a; rest.Terms is not [];)
        {
            var (monomial, coefficient) = rest.Leading;
            if (coefficient % divisor.Coefficient != 0 || Without(monomial, divisor.Monomial) is not { } factor) return null;
            var part = new Dim([(factor, coefficient / divisor.Coefficient)]);
            (quotient, rest) = (quotient + part, rest - (part * b));
        }
        return quotient;
    }

    /// <summary>Reads what <see cref="ToString"/> writes (<c>past + 2*sequence</c>); any other text is the name of one symbol.</summary>
    public static Dim Parse(string text)
    {
        var sum = new Dim(0);
        foreach (var term in text.Split('+', StringSplitOptions.TrimEntries))
        {
            var product = new Dim(1);
            foreach (var factor in term.Split('*', StringSplitOptions.TrimEntries))
            {
                if (long.TryParse(factor, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) product *= number;
                else if (IsName(factor)) product *= Symbol(factor);
                else return Symbol(text);
            }
            sum += product;
        }
        return sum;
    }

    /// <inheritdoc/>
    public bool Equals(Dim other) => Terms.AsSpan().SequenceEqual(other.Terms);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Dim other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>The size as ONNX tools print it.</summary>
    public override string ToString() => Terms is [] ? "0" : string.Join(" + ", Terms.Select(Print));

    /// <summary>Whether this cannot be negative: no coefficient is.</summary>
    internal bool IsSize => Terms.All(term => term.Coefficient >= 0);

    /// <summary>The names of the symbols in it, each once.</summary>
    internal IEnumerable<string> Symbols => Terms.SelectMany(term => Split(term.Monomial)).Distinct(StringComparer.Ordinal);

    // The largest monomial: by degree, then by its symbols. Products keep this order, so that long division ends.
    private (string Monomial, long Coefficient) Leading =>
        Terms.OrderByDescending(term => Split(term.Monomial).Length).ThenBy(term => term.Monomial, Monomials).First();

    /// <summary>The number that this is when the symbols have the given values.</summary>
    internal long Evaluate(Func<string, long> valueOf) =>
        Terms.Sum(term => Split(term.Monomial).Aggregate(term.Coefficient, (product, symbol) => checked(product * valueOf(symbol))));

    private static bool IsName(string text) =>
        text.Length > 0 && !char.IsDigit(text[0]) && text.All(c => char.IsLetterOrDigit(c) || c is '_' or '.' or ':' or '/');

    private static string[] Split(string monomial) => monomial.Length == 0 ? [] : monomial.Split(Times);

    private static string Print((string Monomial, long Coefficient) term)
    {
        var symbols = term.Monomial.Replace(Times, '*');
        var coefficient = term.Coefficient.ToString(CultureInfo.InvariantCulture);
        if (symbols.Length == 0) return coefficient;
        return term.Coefficient == 1 ? symbols : $"{coefficient}*{symbols}";
    }

    private static Dim Normal(IEnumerable<(string Monomial, long Coefficient)> terms) => new(
    [
        .. terms.GroupBy(term => term.Monomial, StringComparer.Ordinal)
            .Select(group => (group.Key, group.Sum(term => term.Coefficient)))
            .Where(term => term.Item2 != 0)
            .OrderBy(term => term.Key, StringComparer.Ordinal),
    ]);

    private static string Join(string a, string b) =>
        string.Join(Times, Split(a).Concat(Split(b)).Order(StringComparer.Ordinal));

    private static string? Without(string monomial, string divisor)
    {
        var symbols = Split(monomial).ToList();
        foreach (var symbol in Split(divisor))
            if (!symbols.Remove(symbol)) return null;
        return string.Join(Times, symbols);
    }
}
