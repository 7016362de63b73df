using System.ComponentModel;
using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>What an adapter is asked to be.</summary>
public sealed record AdapterOptions
{
    /// <summary>Targets that this version does not adapt yet.</summary>
    internal static readonly string[] LaterTargets = ["gate", "up", "down", "all-linear"];

    private static readonly string[] AllTargets = ["q", "k", "v", "p"];

    /// <summary>Family: <c>lorta</c>, <c>lora</c>, ….</summary>
    [Description("Adapter family; `lorta methods` lists them.")]
    public string Method { get; init; } = "lorta";

    /// <summary>Rank r; cost and parameters grow linearly with it.</summary>
    [Description("Rank r; cost and parameters grow linearly with it.")]
    public int Rank { get; init; } = 8;

    /// <summary>Numerator α of the scale: updates are multiplied by α/r (α/√r with the option <c>rslora: true</c>).</summary>
    [Description("Numerator of the scale: updates are multiplied by alpha/rank.")]
    public double Alpha { get; init; } = 16;

    /// <summary>Matrices to adapt, in the order of the rows of C_M.</summary>
    [Description("Matrices to adapt: q, k, v, p (attention output).")]
    public IReadOnlyList<string> Targets { get; init; } = ["q", "k", "v", "p"];

    /// <summary>Layers to adapt; null = all.</summary>
    [Description("Layers to adapt; null = all.")]
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>Probability with which an element of a site's input is left out of the update while training.</summary>
    [Description("Dropout on the input of the update.")]
    public double Dropout { get; init; }

    /// <summary>The family's own options, as text.</summary>
    [Description("The family's own options.")]
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Orientation per matrix where a file states it; what is absent is the family's choice.</summary>
    internal IReadOnlyDictionary<string, Orientation> Orientations { get; init; } = new Dictionary<string, Orientation>(StringComparer.Ordinal);

    /// <summary>The row of C_H that each head takes, per matrix, where a file states it; what is absent follows from the model's heads.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyList<long>> HeadMaps { get; init; } = new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);

    /// <summary>α/r, or α/√r (rank-stabilised).</summary>
    internal double Scale => Choice("rslora", "false", "true") == "true" ? Alpha / Math.Sqrt(Rank) : Alpha / Rank;

    /// <summary>Refuses options that are wrong whatever the model.</summary>
    /// <exception cref="LortaException">LRT319: all problems at once; LRT304: a word that names no matrix.</exception>
    internal void Validate()
    {
        if (Problems() is { Count: > 0 } problems) throw AdapterErrors.InvalidOptions(problems);
        if (Targets.FirstOrDefault(target => !AllTargets.Contains(target) && !LaterTargets.Contains(target)) is { } unknown) throw AdapterErrors.UnknownTarget(unknown);
    }

    /// <summary>Everything that is wrong with the options whatever the model, by key.</summary>
    internal IReadOnlyList<(string Key, string Text)> Problems() =>
    [
        .. Problem(Rank < 1, "rank", $"must be >= 1, was {Rank}"),
        .. Problem(Alpha < 0, "alpha", $"must be >= 0, was {Alpha}"),
        .. Problem(Dropout is not (>= 0 and < 1), "dropout", $"must be >= 0 and < 1, was {Dropout}"),
        .. Problem(Targets.Count == 0, "targets", $"must name a matrix"),
        .. Problem(Targets.Any(string.IsNullOrEmpty), "targets", $"names a matrix without a letter"),
        .. Problem(Targets.Distinct(StringComparer.Ordinal).Count() < Targets.Count, "targets", $"names a matrix twice"),
        .. Problem(Layers is { Count: 0 }, "layers", $"must name a layer"),
    ];

    private static IEnumerable<(string Key, string Text)> Problem(bool isThere, string key, FormattableString text) => isThere ? [(key, FormattableString.Invariant(text))] : [];

    /// <summary>One of the allowed values of an option; the first is the default.</summary>
    internal string Choice(string name, params ReadOnlySpan<string> allowed)
    {
        var value = Options.GetValueOrDefault(name, allowed[0]);
        return allowed.Contains(value) ? value : throw AdapterErrors.OptionValue(Method, name, value, allowed.ToArray());
    }
}
