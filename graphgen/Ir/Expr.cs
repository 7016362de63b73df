using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>An expression: a value of a graph and the tape to which operations on it are written. Everything that this project adds to a
/// graph is written with it.</summary>
[Experimental(Unsettled.Id)]
public readonly struct Expr
{
    internal Expr(Tape tape, Value value) => (Tape, Value) = (tape, value);

    /// <summary>The value that the expression stands for.</summary>
    public Value Value { get; }

    /// <summary>Shape; expressions always have one.</summary>
    public Shape Shape => Value.Shape ?? throw ModelErrors.UnknownSize(Value, "rank");

    /// <summary>Number of dimensions.</summary>
    public int Rank => Shape.Rank;

    /// <summary>Where it is written.</summary>
    public Tape Tape { get; }

    internal ElementType Type => Value.Type;

    /// <summary>Sum, with broadcasting.</summary>
    public static Expr operator +(Expr a, Expr b) => a.Tape.Op("Add", [a, b]);

    /// <summary>Sum with a number.</summary>
    public static Expr operator +(Expr a, double b) => a + a.Tape.Scalar(b, a.Type);

    /// <summary>Sum with a number.</summary>
    public static Expr operator +(double a, Expr b) => b + a;

    /// <summary>Difference, with broadcasting.</summary>
    public static Expr operator -(Expr a, Expr b) => a.Tape.Op("Sub", [a, b]);

    /// <summary>Difference with a number.</summary>
    public static Expr operator -(Expr a, double b) => a - a.Tape.Scalar(b, a.Type);

    /// <summary>Difference from a number.</summary>
    public static Expr operator -(double a, Expr b) => b.Tape.Scalar(a, b.Type) - b;

    /// <summary>Product element by element, with broadcasting.</summary>
    public static Expr operator *(Expr a, Expr b) => a.Tape.Op("Mul", [a, b]);

    /// <summary>Product with a number.</summary>
    public static Expr operator *(Expr a, double b) => a * a.Tape.Scalar(b, a.Type);

    /// <summary>Product with a number.</summary>
    public static Expr operator *(double a, Expr b) => b * a;

    /// <summary>Quotient element by element, with broadcasting.</summary>
    public static Expr operator /(Expr a, Expr b) => a.Tape.Op("Div", [a, b]);

    /// <summary>Quotient by a number.</summary>
    public static Expr operator /(Expr a, double b) => a / a.Tape.Scalar(b, a.Type);

    /// <summary>Quotient of a number.</summary>
    public static Expr operator /(double a, Expr b) => b.Tape.Scalar(a, b.Type) / b;

    /// <summary>Negation.</summary>
    public static Expr operator -(Expr a) => a.Apply("Neg");

    /// <summary>The transpose: the last two axes change places.</summary>
    public Expr T =>
        Untransposed(this) is (var original, true) ? original : MoveAxes([.. Enumerable.Range(0, Rank - 2), Rank - 1, Rank - 2]);

    /// <summary>All axes but the last merged: [.., n] → [N, n].</summary>
    public Expr Rows() => Rank == 2 ? this
        : Shape[-1].Value is { } last ? Reshape(-1, last)
        : Tape.Op("Flatten", [this], ("axis", Rank - 1));

    /// <summary>Matrix product, times a number. A transposed operand becomes part of the product: on the same stored weight, never a
    /// transposed copy of it.</summary>
    public Expr MatMul(Expr other, float alpha = 1)
    {
        var (a, transA) = Untransposed(this);
        var (b, transB) = Untransposed(other);
        if (!transA && !transB && alpha == 1) return Tape.Op("MatMul", [this, other]);
        return Tape.IsOnnxOnly
            ? Tape.Op("MatMul", [this, other]).Scaled(alpha)
            : Tape.Op(OrtOps.FusedMatMul, [a, b], ("transA", transA ? 1 : 0), ("transB", transB ? 1 : 0), ("alpha", alpha));
    }

    /// <summary>Sum over axes, which stay with length 1.</summary>
    public Expr Sum(params ReadOnlySpan<long> axes) => Reduce("ReduceSum", axes, keep: true);

    /// <summary>Mean over axes, which stay with length 1.</summary>
    public Expr Mean(params ReadOnlySpan<long> axes) => Reduce("ReduceMean", axes, keep: true);

    /// <summary>Sum of everything, a scalar.</summary>
    public Expr Total() => Tape.Op("ReduceSum", [this], ("keepdims", 0));

    /// <summary>The same elements under another shape; −1 stands for what remains, 0 for the dimension that is there.</summary>
    public Expr Reshape(params ReadOnlySpan<long> dims) => Tape.Op("Reshape", [this, Tape.Longs(dims)]);

    /// <summary>The same elements under the shape of another value, whatever it is when the graph runs.</summary>
    public Expr ReshapeLike(Expr other)
    {
        if (Value.Shape is { } own && own.Equals(other.Value.Shape)) return this;
        var symbolic = other.Value.Shape?.Count(dim => !dim.IsKnown) ?? int.MaxValue;
        return symbolic <= 1 && other.Shape.All(dim => !dim.Is(0))
            ? Reshape([.. other.Shape.Select(dim => dim.Value ?? -1)])
            : Tape.Op("Reshape", [this, other.ShapeTensor()], ("allowzero", 1));
    }

    /// <summary>Rows of a matrix (or slices along another axis) by constant index.</summary>
    public Expr Take(IReadOnlyList<long> index, int axis = 0) => Tape.Op("Gather", [this, Tape.Longs([.. index])], ("axis", axis));

    /// <summary>One slice along the first axis, which goes.</summary>
    public Expr Row(long index) => Tape.Op("Gather", [this, Tape.Constant(OnnxTensor.Scalar(index))], ("axis", 0));

    /// <summary>Column-wise Kronecker product of [m, r] and [n, r]: [m·n, r], row i·n + j = this[i] ∘ other[j].</summary>
    public Expr KhatriRao(Expr other) =>
        (Unsqueeze(1) * other.Unsqueeze(0)).Reshape(-1, Shape[-1].Value ?? throw new InvalidOperationException("rank r must be a number"));

    /// <summary>The axes in another order.</summary>
    public Expr MoveAxes(params ReadOnlySpan<int> order)
    {
        var permutation = new long[order.Length];
        for (var i = 0; i < order.Length; i++) permutation[i] = order[i];
        return Tape.Op("Transpose", [this], ("perm", permutation));
    }

    /// <summary>A new axis of length 1.</summary>
    public Expr Unsqueeze(params ReadOnlySpan<long> axes) => Tape.Op("Unsqueeze", [this, Tape.Longs(axes)]);

    /// <summary>Without axes of length 1.</summary>
    public Expr Squeeze(params ReadOnlySpan<long> axes) => Tape.Op("Squeeze", [this, Tape.Longs(axes)]);

    /// <summary>Elements start … end − 1 along an axis.</summary>
    public Expr Slice(long axis, long start, long end) => Tape.Op("Slice", [this, Tape.Longs(start), Tape.Longs(end), Tape.Longs(axis)]);

    /// <summary>The first elements along an axis; all of them where there are no more.</summary>
    public Expr Leading(long count, int axis) => Shape[axis].Is(count) ? this : Slice(axis, 0, count);

    /// <summary>This with updates added at index along an axis; repeated places add up. (<c>ScatterElements</c>, because <c>ScatterND</c>
    /// races between threads.)</summary>
    /// <param name="index">Places along the axis, of the shape of <paramref name="updates"/>.</param>
    /// <param name="updates">What to add.</param>
    /// <param name="axis">The axis.</param>
    public Expr ScatterAdd(Expr index, Expr updates, long axis) =>
        Tape.Op("ScatterElements", [this, index, updates], ("axis", axis), ("reduction", "add"));

    /// <summary>Joined along an axis.</summary>
    public static Expr Concat(long axis, params ReadOnlySpan<Expr> parts)
    {
        var inputs = new Expr?[parts.Length];
        for (var i = 0; i < parts.Length; i++) inputs[i] = parts[i];
        return parts[0].Tape.Op("Concat", inputs, ("axis", axis));
    }

    /// <summary>The same value, as a constant in the eyes of the gradient: nothing flows back through it.</summary>
    public Expr Detached()
    {
        var node = Tape.WriteOwn("Identity", [this], 1);
        node.StopsGradient = true;
        return Tape[node.Output];
    }

    /// <summary>Converted to another element type.</summary>
    public Expr Cast(ElementType type) => type == Type ? this : Tape.Op("Cast", [this], ("to", (long)type));

    /// <summary>Repeated to the shape of another value.</summary>
    public Expr ExpandLike(Expr other) =>
        Value.Shape is { } own && own.Equals(other.Value.Shape) ? this : Tape.Op("Expand", [this, other.ShapeTensor()]);

    /// <summary>Summed over the axes that broadcasting repeated, so that the result has the shape of <paramref name="other"/>.</summary>
    public Expr SumTo(Expr other)
    {
        if (Shape.Equals(other.Value.Shape)) return this;
        var lead = Rank - other.Rank;
        var (shape, target) = (Shape, other.Shape);
        if (Enumerable.Range(0, target.Rank).Any(axis => !target[axis].IsKnown && target[axis] != shape[axis + lead]))
            return SumToWhenKnown(other);
        var axes = Enumerable.Range(0, Rank)
            .Where(axis => axis < lead || (target[axis - lead].Is(1) && !shape[axis].Is(1)))
            .Select(axis => (long)axis)
            .ToArray();
        return (axes.Length == 0 ? this : Reduce("ReduceSum", axes, keep: lead == 0)).ReshapeLike(other);
    }

    /// <summary>Any ONNX operator with this as its first input, and its first output.</summary>
    /// <param name="op">Operator, with the meaning that it has at opset 21; <c>domain::Name</c> outside ONNX's own set.</param>
    /// <param name="more">Its further inputs; null = an optional one that is left out.</param>
    /// <param name="attributes">Its attributes.</param>
    public Expr Op(
        string op, ReadOnlySpan<Expr?> more = default, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes) =>
        Tape.Op(op, [this, .. more], attributes);

    /// <summary>The shape as an int64 tensor.</summary>
    internal Expr ShapeTensor() => Shape.Known is { } known ? Tape.Longs(known) : Apply("Shape");

    /// <summary>An operator on this value alone.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="attributes">Its attributes; one that is null is left out.</param>
    internal Expr Apply(string op, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes) => Tape.Op(op, [this], attributes);

    internal Expr Apply(string op, Expr other) => Tape.Op(op, [this, other]);

    internal Expr Reduce(string op, ReadOnlySpan<long> axes, bool keep) =>
        Tape.Op(op, [this, Tape.Longs(axes)], ("keepdims", keep ? 1 : 0));

    /// <summary>The size of one dimension as an int64 tensor of one element. It is read from an input of ids where one has the same symbol,
    /// so that whatever depends on sizes alone (a causal mask, say) is computed once and not in every layer.</summary>
    internal Expr SizeOf(int axis)
    {
        if (Shape[axis].Value is { } known) return Tape.Longs(known);
        foreach (var input in Tape.Graph.Inputs.Where(input => input.Type is ElementType.Int64 or ElementType.Int32))
            for (var i = 0; i < input.Shape?.Rank; i++)
                if (input.Shape[i] == Shape[axis]) return Tape[input].OwnSizeOf(i);
        return OwnSizeOf(axis);
    }

    /// <summary>The number of elements as an int64 scalar.</summary>
    internal Expr Size() => Shape.Size.Value is { } known ? Tape.Constant(OnnxTensor.Scalar(known)) : Apply("Size");

    /// <summary>Zeros of this shape and type.</summary>
    internal Expr Zeros() => Zeros(Tape, ShapeTensor(), Type);

    /// <summary>Zeros of a shape that may be computed when the graph runs.</summary>
    internal static Expr Zeros(Tape tape, Expr shape, ElementType type) =>
        tape.Op("ConstantOfShape", [shape], ("value", tape.Scalar(0, type).Value.Constant!.WithDims([1])));

    /// <summary>Times a number; itself where that is 1.</summary>
    internal Expr Scaled(double factor) => factor == 1 ? this : this * factor;

    internal Expr Exp() => Apply("Exp");

    /// <summary>The larger of each element and a number.</summary>
    internal Expr AtLeast(double least) => Apply("Max", Tape.Scalar(least, Type));

    internal Expr Sqrt() => Apply("Sqrt");

    internal Expr Where(Expr condition, Expr otherwise) => Tape.Op("Where", [condition, this, otherwise]);

    /// <summary>Whether the dimensions that broadcasting repeats show only when the graph runs: sum over axes where the target has 1 and
    /// the source has not.</summary>
    private Expr SumToWhenKnown(Expr other)
    {
        var target = other.ShapeTensor();
        if (Rank > other.Rank) target = Concat(0, Tape.Longs([.. Enumerable.Repeat(1L, Rank - other.Rank)]), target);
        var repeated = target.Apply("Equal", ShapeTensor()).Apply("Not");
        var axes = repeated.Apply("NonZero").Reshape(-1);
        return Tape.Op("ReduceSum", [this, axes], ("keepdims", 1), ("noop_with_empty_axes", 1)).ReshapeLike(other);
    }

    private Expr OwnSizeOf(int axis) => Apply("Shape", ("start", axis), ("end", axis + 1));

    private static (Expr Operand, bool Transposed) Untransposed(Expr e) =>
        e.Value.Producer is { Op: "Transpose" } node && node.Ints("perm") is { } perm && SwapsLastTwo(perm)
            ? (e.Tape[node.Input(0)!], true)
            : (e, false);

    private static bool SwapsLastTwo(long[] perm) =>
        perm.Length >= 2
            && perm[^1] == perm.Length - 2
            && perm[^2] == perm.Length - 1
            && perm[..^2].Select((axis, i) => axis == i).All(same => same);
}
