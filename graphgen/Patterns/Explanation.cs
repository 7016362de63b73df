namespace LoRTA.Onnx.GraphGen.Patterns;

/// <summary>Why a piece of a model was not understood: how far reading came, what came closest there, and what this project would need to
/// go on.</summary>
public sealed record Explanation
{
    /// <summary>What was being looked for: a site such as <c>layers.0.q</c>, or what a softmax should have on one side.</summary>
    public required string LookedFor { get; init; }

    /// <summary>Node (or input) where reading stopped.</summary>
    public required string Node { get; init; }

    /// <summary>Its operator; "input" for an input of the graph.</summary>
    public required string Op { get; init; }

    /// <summary>The steps taken before, in order.</summary>
    public required IReadOnlyList<string> Passed { get; init; }

    /// <summary>The form of which most operators fitted; null where not even the first one of any form did.</summary>
    public NearMiss? Closest { get; init; }

    /// <summary>The forms that were tried at the node before reading began, each with the reason why it does not fit.</summary>
    public IReadOnlyList<string> Declined { get; init; } = [];

    /// <summary>What would have to be added to this project, and in which file.</summary>
    public required string Remedy { get; init; }
}

/// <summary>A form that matched in part.</summary>
/// <param name="Form">Its name.</param>
/// <param name="Operators">How many of its operators fitted.</param>
/// <param name="Expected">What it needs next: operators or kinds of value.</param>
/// <param name="Found">What the graph has there.</param>
public sealed record NearMiss(string Form, int Operators, IReadOnlyList<string> Expected, string Found)
{
    /// <summary>The miss as part of a sentence.</summary>
    public override string ToString() =>
        $"{Form}, of which {Operators} operators fit; it needs {string.Join(" or ", Expected)} where {Found} is";

    /// <summary>The one of some named forms that comes closest at a value; null where none fits in part.</summary>
    internal static NearMiss? At(Ir.Value value, IEnumerable<(string Name, Pattern Pattern)> forms)
    {
        var tried = forms.Select(form => (form.Name, Trace: PatternTrace.Of(form.Pattern, value))).MaxBy(form => form.Trace.Operators);
        return tried.Trace is { Operators: > 0, Found: { } found } trace
            ? new NearMiss(tried.Name, trace.Operators, trace.Expected, Describe(found))
            : null;
    }

    private static string Describe(Ir.Value value) =>
        value.Producer?.ToString() ?? (value.IsConstant ? $"constant '{value.Name}'" : $"input '{value.Name}'");
}
