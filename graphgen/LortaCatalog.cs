using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen;

/// <summary>What training can choose from: adapter families, losses and gradient rules. Those of a user's own are added by value.</summary>
/// <remarks>Immutable: <c>With</c> gives another catalog, and two of them in one process know nothing of each other.</remarks>
public sealed record LortaCatalog
{
    private readonly FrozenDictionary<string, GradientRule> _ruleOfOperator;

    private LortaCatalog(IReadOnlyList<AdapterFamilyEntry> families, IReadOnlyList<ILoss> losses, IReadOnlyList<GradientRule> rules)
    {
        Families = families;
        Losses = losses;
        Rules = rules;
        _ruleOfOperator = rules.ToFrozenDictionary(rule => rule.Op, StringComparer.Ordinal);
    }

    /// <summary>What comes with this project.</summary>
    public static LortaCatalog Default { get; } = new(AdapterFamilies.All, TaskLosses.All, GradientRules.All);

    /// <summary>The adapter families, in the order of help and messages.</summary>
    public IReadOnlyList<AdapterFamilyEntry> Families { get; }

    /// <summary>The losses, which recipes name as their <c>task</c>, in the order of help and messages.</summary>
    public IReadOnlyList<ILoss> Losses { get; }

    /// <summary>The gradient rules, one for each operator.</summary>
    public IReadOnlyList<GradientRule> Rules { get; }

    /// <summary>This catalog with one more family.</summary>
    /// <exception cref="ArgumentException">There is one of this name.</exception>
    public LortaCatalog With(AdapterFamilyEntry family)
    {
        if (this.FamilyOf(family.Method) is not null) throw Taken(nameof(family), family.Method);
        return new([.. Families, family], Losses, Rules);
    }

    /// <summary>This catalog with one more loss.</summary>
    /// <exception cref="ArgumentException">There is one of this name.</exception>
    public LortaCatalog With(ILoss loss)
    {
        if (Losses.Any(known => known.Name == loss.Name)) throw Taken(nameof(loss), loss.Name);
        return new(Families, [.. Losses, loss], Rules);
    }

    /// <summary>This catalog with the rule of one more operator, or another rule for it.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="replace">Whether the operator's rule, where it has one, gives way to this one.</param>
    /// <exception cref="ArgumentException">The operator has a rule, which is not to be replaced.</exception>
    public LortaCatalog With(GradientRule rule, bool replace = false)
    {
        if (RuleOf(rule.Op) is not { } known) return new(Families, Losses, [.. Rules, rule]);
        if (!replace) throw Taken(nameof(rule), rule.Op);
        return new(Families, Losses, [.. Rules.Select(one => one == known ? rule : one)]);
    }

    /// <summary>The rule of an operator; null where there is none.</summary>
    internal GradientRule? RuleOf(string op) => _ruleOfOperator.GetValueOrDefault(op);

    private static ArgumentException Taken(string kind, string name) => new($"The catalog has a {kind} '{name}' already.", kind);
}
