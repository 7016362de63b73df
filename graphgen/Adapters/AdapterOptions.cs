using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Options;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>What an adapter is asked to be; the <c>adapter</c> section of a recipe.</summary>
[Description("An adapter: family, size and the places that it adapts.")]
public sealed record AdapterOptions
{
    /// <summary>Targets that this version does not adapt yet.</summary>
    internal static readonly string[] LaterTargets = ["gate", "up", "down", "all-linear"];

    /// <summary>The option of families whose scale is α/r.</summary>
    internal static readonly FamilyOption RankStabilised = new("rslora", "Whether the scale is α/√r instead of α/r.", "false", "true");

    private static readonly string[] AllTargets = ["q", "k", "v", "p"];

    /// <summary>Family: <c>lorta</c>, <c>lora</c>, ….</summary>
    [Description("The adapter family; see `lorta methods`.")]
    public string Method { get; init; } = "lorta";

    /// <summary>Rank r ≥ 1 of every product of factors.</summary>
    [Range(1, int.MaxValue), Description("Rank r; cost and parameters grow linearly with it.")]
    public int Rank { get; init; } = 8;

    /// <summary>Numerator α of the scale: updates are multiplied by α/r (α/√r with the option <c>rslora: true</c>).</summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true), Description("Numerator of the scale α/r.")]
    public double Alpha { get; init; } = 16;

    /// <summary>Matrices to adapt, by letter.</summary>
    [Choice("q", "k", "v", "p", NotYet = ["gate", "up", "down", "all-linear"])]
    [Description("Adapted matrices: queries, keys, values, the attention's output projection.")]
    public IReadOnlyList<string> Targets { get; init; } = ["q", "k", "v", "p"];

    /// <summary>Layers to adapt.</summary>
    [Description("Adapted layers: all, or a list of indices from 0.")]
    public LayerChoice Layers { get; init; } = LayerChoice.All;

    /// <summary>Probability with which an element of a site's input is left out of the update while training.</summary>
    [Range(0, 1, MaximumIsExclusive = true), Description("Share of the adapter's inputs that is dropped while training.")]
    public double Dropout { get; init; }

    /// <summary>The family's own options, as text.</summary>
    [Description("The family's own options; see `lorta methods --help`.")]
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What a golden states of the heads.</summary>
    internal StatedHeads Heads { get; init; } = new();

    /// <summary>α/r, or α/√r (rank-stabilised).</summary>
    internal double Scale => ValueOf(RankStabilised) == "true" ? Alpha / Math.Sqrt(Rank) : Alpha / Rank;

    /// <summary>Refuses options that are wrong whatever the model.</summary>
    /// <exception cref="LortaException">LRT319: all problems at once; LRT304: a word that names no matrix.</exception>
    internal void Validate()
    {
        if (Problems() is { Count: > 0 } problems) throw AdapterErrors.InvalidOptions(problems);
        if (Targets.FirstOrDefault(target => !AllTargets.Contains(target) && !LaterTargets.Contains(target)) is { } unknown)
            throw AdapterErrors.UnknownTarget(unknown);
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
        .. Problem(Layers.Indices is { Count: 0 }, "layers", $"must name a layer"),
    ];

    private static IEnumerable<(string Key, string Text)> Problem(bool isThere, string key, FormattableString text) =>
        isThere ? [(key, FormattableString.Invariant(text))] : [];

    /// <summary>The value of one of the family's options, or its default.</summary>
    internal string ValueOf(FamilyOption option) => Options.GetValueOrDefault(option.Name, option.Values[0]);
}
