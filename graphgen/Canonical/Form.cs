using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>A form that exporters write, and what the canonical graph has instead. Its kind says what it may do to a node.</summary>
/// <param name="Name">What the form is called in messages.</param>
/// <param name="Op">The operator it is anchored at, always the last of its pieces; null: any.</param>
internal abstract record Form(string Name, string? Op)
{
    /// <summary>An operator that is written out in smaller ones, and refused by name where it says more than they can.</summary>
    /// <param name="name">What the form is called.</param>
    /// <param name="op">The operator.</param>
    /// <param name="whyNot">What speaks against it, as the end of a sentence about the operator; null = nothing.</param>
    /// <param name="expressions">Its outputs.</param>
    public static IEnumerable<Form> Lowered(
        string name, string op, Func<Node, string?> whyNot, Func<Node, Rewriting, IReadOnlyList<Expr?>> expressions) =>
    [
        new Refuse(name, op, (node, at) => whyNot(node) is { } why ? at.Refusal(node, why) : null),
        new Replace(name, op, (node, at) => at.Substitute(node, expressions)),
    ];
}

/// <summary>A form whose node gives way to something else, so that no further form sees it.</summary>
/// <param name="Name">What the form is called in messages.</param>
/// <param name="Op">The operator it is anchored at; null: any.</param>
/// <param name="Apply">Puts something else in the node's place, or says why not.</param>
internal sealed record Replace(string Name, string? Op, Func<Node, Rewriting, Outcome> Apply) : Form(Name, Op);

/// <summary>A form whose node stays, spelled in another way; the forms behind it in the table see the node.</summary>
/// <param name="Name">What the form is called in messages.</param>
/// <param name="Op">The operator it is anchored at; null: any.</param>
/// <param name="Apply">Changes attributes or inputs of the node, or says why not.</param>
internal sealed record InPlace(string Name, string? Op, Func<Node, Rewriting, Outcome> Apply) : Form(Name, Op);

/// <summary>A form that has no equal in the canonical vocabulary: the model is refused.</summary>
/// <param name="Name">What the form is called in messages.</param>
/// <param name="Op">The operator it is anchored at; null: any.</param>
/// <param name="Check">The refusal of a node, null where it is not of this form; changes nothing.</param>
internal sealed record Refuse(string Name, string? Op, Func<Node, Rewriting, LortaException?> Check) : Form(Name, Op);

/// <summary>Whether a form did its work at a node, and if not, why.</summary>
/// <param name="WhyNot">Why not, as a sentence about the node; null where it did.</param>
internal readonly record struct Outcome(string? WhyNot)
{
    public static Outcome Done => default;

    public static implicit operator Outcome(string whyNot) => new(whyNot);
}
