using System.Globalization;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>One dimension of a shape: a number, a symbol (<c>batch</c>), or a polynomial of symbols (<c>4*batch</c>, <c>past + sequence</c>) in normal form.</summary>
/// <remarks>Normal form: monomials in ordinal order, each with its integer coefficient; two dimensions are equal when their normal forms are.</remarks>
public readonly struct Dim : IEquatable<Dim>
{
    private const char Times = '\u00d7';   // never part of a symbol's own name

    private static readonly (string Monomial, long Coefficient)[] Zero = [];

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
        if (b.Terms is not [var divisor]) return a == b ? new Dim(1) : null;
        var quotient = new List<(string, long)>();
        foreach (var (monomial, coefficient) in a.Terms)
        {
            if (coefficient % divisor.Coefficient != 0 || Without(monomial, divisor.Monomial) is not { } rest) return null;
            quotient.Add((rest, coefficient / divisor.Coefficient));
        }
        return Normal(quotient);
    }

    /// <inheritdoc/>
    public bool Equals(Dim other) => Terms.AsSpan().SequenceEqual(other.Terms);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Dim other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>The size as ONNX tools print it.</summary>
    public override string ToString() => Terms is [] ? "0" : string.Join(" + ", Terms.Select(Print));

    private static string Print((string Monomial, long Coefficient) term)
    {
        var symbols = term.Monomial.Replace(Times, '*');
        var coefficient = term.Coefficient.ToString(CultureInfo.InvariantCulture);
        return symbols.Length == 0 ? coefficient : term.Coefficient == 1 ? symbols : $"{coefficient}*{symbols}";
    }

    private static Dim Normal(IEnumerable<(string Monomial, long Coefficient)> terms) => new(
    [
        .. terms.GroupBy(term => term.Monomial, StringComparer.Ordinal)
            .Select(group => (group.Key, group.Sum(term => term.Coefficient)))
            .Where(term => term.Item2 != 0)
            .OrderBy(term => term.Key, StringComparer.Ordinal),
    ]);

    private static string Join(string a, string b) =>
        a.Length == 0 ? b : b.Length == 0 ? a : string.Join(Times, a.Split(Times).Concat(b.Split(Times)).Order(StringComparer.Ordinal));

    private static string? Without(string monomial, string divisor)
    {
        var symbols = monomial.Length == 0 ? [] : monomial.Split(Times).ToList();
        return (divisor.Length == 0 ? [] : divisor.Split(Times)).All(symbols.Remove) ? string.Join(Times, symbols) : null;
    }
}
