using System.Collections.Immutable;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Patterns;

/// <summary>A piece of graph written as the expression that it computes. Its holes bind values; a hole used twice must bind one
/// value.</summary>
internal abstract record Pattern
{
    /// <summary>Either of two spellings.</summary>
    public static Pattern operator |(Pattern a, Pattern b) => new AnyOf([a, b]);

    /// <summary>All ways in which a value matches, most often none or one.</summary>
    public abstract IEnumerable<Bindings> Match(Value value, Bindings bound);

    /// <summary>The first way in which a value matches.</summary>
    public Bindings? Match(Value value) => Match(value, Bindings.None).FirstOrDefault();

    private sealed record AnyOf(IReadOnlyList<Pattern> Spellings) : Pattern
    {
        public override IEnumerable<Bindings> Match(Value value, Bindings bound) =>
            Spellings.SelectMany(spelling => spelling.Match(value, bound));
    }
}

/// <summary>What the holes of a pattern stand for.</summary>
internal sealed class Bindings
{
    private readonly ImmutableDictionary<string, Value> _values;
    private readonly PatternTrace? _trace;
    private readonly int _depth;

    private Bindings(ImmutableDictionary<string, Value> values, PatternTrace? trace, int depth)
    {
        _values = values;
        _trace = trace;
        _depth = depth;
    }

    public static Bindings None { get; } = new(ImmutableDictionary.Create<string, Value>(StringComparer.Ordinal), null, 0);

    public Value this[string hole] => _values[hole];

    public Value? Find(string hole) => _values.GetValueOrDefault(hole);

    /// <summary>No bindings yet, and a record of how far the match gets.</summary>
    public static Bindings Tracing(PatternTrace trace) => new(None._values, trace, 0);

    /// <summary>These bindings and one more; null where the hole stands for another value already.</summary>
    public Bindings? With(string hole, Value value)
    {
        if (!_values.TryGetValue(hole, out var other)) return new Bindings(_values.Add(hole, value), _trace, _depth);
        return other == value ? this : null;
    }

    /// <summary>These bindings behind one more operator of the pattern.</summary>
    public Bindings Deeper() => new(_values, _trace, _depth + 1);

    /// <summary>Notes that the pattern needed something else here.</summary>
    public void Missed(string expected, Value found) => _trace?.Missed(_depth, expected, found);
}

/// <summary>How far a match got.</summary>
internal sealed class PatternTrace
{
    private readonly List<string> _expected = [];

    /// <summary>The number of operators that fitted before the deepest miss.</summary>
    public int Operators { get; private set; } = -1;

    /// <summary>What the pattern needed at the deepest miss.</summary>
    public IReadOnlyList<string> Expected => _expected;

    /// <summary>What was there; null where nothing missed.</summary>
    public Value? Found { get; private set; }

    /// <summary>Traces one attempt.</summary>
    public static PatternTrace Of(Pattern pattern, Value value)
    {
        var trace = new PatternTrace();
        _ = pattern.Match(value, Bindings.Tracing(trace)).Any();
        return trace;
    }

    public void Missed(int depth, string expected, Value found)
    {
        if (depth < Operators || (depth == Operators && found != Found)) return;
        if (depth > Operators) _expected.Clear();
        (Operators, Found) = (depth, found);
        if (!_expected.Contains(expected)) _expected.Add(expected);
    }
}

/// <summary>The words that patterns are written with.</summary>
internal static class Patterns
{
    private static readonly string[] Commutative = ["Add", "Mul", "Max", "Min"];

    /// <summary>Any value.</summary>
    public static Pattern Any { get; } = new Check(_ => true, "any value");

    /// <summary>A single number, whether stored or computed.</summary>
    public static Pattern Scalar { get; } = new Check(value => value.Shape is { } shape && shape.Size.Is(1), "a single number");

    /// <summary>A stored value.</summary>
    public static Pattern Constant { get; } = new Check(value => value.IsConstant, "a constant");

    /// <summary>A stored number that is <paramref name="number"/> up to 10⁻⁶ of it.</summary>
    public static Pattern Number(double number) =>
        new Check(value => NumberOf(value) is { } found && Math.Abs(found - number) <= 1e-6 * Math.Abs(number), $"the number {number}");

    /// <summary>A hole that binds any value.</summary>
    public static Pattern Hole(string name) => new Binding(name, Any);

    /// <summary>A hole that binds a value of the given kind.</summary>
    public static Pattern Hole(string name, Pattern kind) => new Binding(name, kind);

    /// <summary>A value of which something holds.</summary>
    /// <param name="kind">What such a value is called, with its article.</param>
    /// <param name="holds">What must hold.</param>
    public static Pattern Where(string kind, Func<Value, bool> holds) => new Check(holds, kind);

    /// <summary>A value that leads to another one in a way that no operators spell.</summary>
    /// <param name="hole">The hole that binds the other value.</param>
    /// <param name="kind">What such a value is called, with its article.</param>
    /// <param name="find">The other value, or null.</param>
    public static Pattern Leading(string hole, string kind, Func<Value, Value?> find) => new Lead(hole, kind, find);

    /// <summary>The first output of an operator; inputs beyond the named ones may be anything, except of Concat. Of Add, Mul, Max and Min
    /// the operands may come in any order.</summary>
    public static OperatorPattern Op(string op, params Pattern[] inputs) =>
        new(
            op,
            inputs)
        {
            AnyOrder = inputs.Length == 2 && Commutative.Contains(op),
            Condition = op == "Concat" ? node => node.Inputs.Count == inputs.Length : null,
        };

    /// <summary>The only element of a stored floating-point tensor.</summary>
    public static double? NumberOf(Value value) =>
        value is { IsConstant: true, Constant: { Count: 1 } tensor }
            && tensor.Type is ElementType.Float or ElementType.Float16 or ElementType.Double or ElementType.BFloat16
            ? tensor.Type == ElementType.Double ? tensor.Span<double>()[0] : tensor.ToFloats()[0]
            : null;

    private sealed record Check(Func<Value, bool> Holds, string Kind) : Pattern
    {
        public override IEnumerable<Bindings> Match(Value value, Bindings bound)
        {
            if (Holds(value)) return [bound];
            bound.Missed(Kind, value);
            return [];
        }
    }

    private sealed record Lead(string Hole, string Kind, Func<Value, Value?> Find) : Pattern
    {
        public override IEnumerable<Bindings> Match(Value value, Bindings bound)
        {
            if (Find(value) is { } found) return bound.With(Hole, found) is { } with ? [with] : [];
            bound.Missed(Kind, value);
            return [];
        }
    }

    private sealed record Binding(string Name, Pattern Kind) : Pattern
    {
        public override IEnumerable<Bindings> Match(Value value, Bindings bound) =>
            Kind.Match(value, bound).Select(inner => inner.With(Name, value)).OfType<Bindings>();
    }
}

/// <summary>An operator over patterns.</summary>
/// <param name="Name">Operator, <c>domain::Name</c> outside ONNX's own set.</param>
/// <param name="Inputs">What its inputs must be, by position.</param>
internal sealed record OperatorPattern(string Name, IReadOnlyList<Pattern> Inputs) : Pattern
{
    /// <summary>Whether two operands may be exchanged.</summary>
    public bool AnyOrder { get; init; }

    /// <summary>What must hold of the node (its attributes, the constants that it reads).</summary>
    public Func<Node, bool>? Condition { get; init; }

    /// <summary>Whether any of the outputs will do, not only the first.</summary>
    public bool AnyOutput { get; init; }

    /// <summary>The pattern with a further condition on its node.</summary>
    public OperatorPattern When(Func<Node, bool> condition) => this with { Condition = condition };

    public override IEnumerable<Bindings> Match(Value value, Bindings bound)
    {
        if (value.Producer is not { } node
            || node.Op != Name
            || (!AnyOutput && node.Outputs[0] != value)
            || node.Inputs.Count < Inputs.Count
            || Condition?.Invoke(node) == false)
        {
            bound.Missed(Name, value);
            return [];
        }
        var deeper = bound.Deeper();
        var ways = MatchInputs(node.Inputs, 0, deeper);
        return AnyOrder ? ways.Concat(MatchInputs([node.Inputs[1], node.Inputs[0]], 0, deeper)) : ways;
    }

    private IEnumerable<Bindings> MatchInputs(IReadOnlyList<Value?> inputs, int index, Bindings bound) =>
        index == Inputs.Count
            ? [bound]
            : inputs[index] is { } input
                    ? Inputs[index].Match(input, bound).SelectMany(inner => MatchInputs(inputs, index + 1, inner))
                    : [];
}
