using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;

namespace LoRTA.Onnx.GraphGen;

/// <summary>What an adapter is asked to be; the <c>adapter</c> section of a recipe.</summary>
[Description("An adapter: family, size and the places that it adapts.")]
public sealed record AdapterOptions
{
    /// <summary>The option of families whose scale is α/r.</summary>
    public static readonly FamilyOption RankStabilised = new("rslora", "Whether the scale is α/√r instead of α/r.", "false", "true");

    /// <summary>Family: <c>lorta</c>, <c>lora</c>, ….</summary>
    [Description("The adapter family; see `lorta methods`.")]
    public string Method { get; init; } = "lorta";

    /// <summary>Rank r ≥ 1 of every product of factors.</summary>
    [Range(1, int.MaxValue), Description("Rank r; cost and parameters grow linearly with it.")]
    public int Rank { get; init; } = 8;

    /// <summary>Numerator α of the scale: updates are multiplied by α/r (α/√r with the option <c>rslora: true</c>).</summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true), Description("Numerator of the scale α/r.")]
    public double Alpha { get; init; } = 16;

    /// <summary>Places to adapt, by the family's names of them, such as q, k, v and p; null = the family's own choice.</summary>
    [Description("Adapted places; most families: q, k, v and p (queries, keys, values, the attention's output projection), "
        + "which is the default.")]
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>Layers to adapt.</summary>
    [Description("Adapted layers: all, or a list of indices from 0.")]
    public LayerChoice Layers { get; init; } = LayerChoice.All;

    /// <summary>Probability with which an element of a site's input is left out of the update while training.</summary>
    [Range(0, 1, MaximumIsExclusive = true), Description("Share of the adapter's inputs that is dropped while training.")]
    public double Dropout { get; init; }

    /// <summary>The family's own options, as text.</summary>
    [Description("The family's own options; see `lorta methods --help`.")]
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Rank or α of some sites; null = everywhere the same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Description("Rank or alpha of some sites, where they differ from the adapter's.")]
    public IReadOnlyList<SiteOptions>? Sites { get; init; }

    /// <summary>What the optimizer's learning rate is multiplied by for factors, by the last part of their names; null = 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Description("Multipliers of the learning rate by the last part of a factor's name, such as B: 16.")]
    public IReadOnlyDictionary<string, double>? LrFactors { get; init; }

    /// <summary>Short for a multiplier of the factors B (LoRA+); null = 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Range(0, double.PositiveInfinity, MinimumIsExclusive = true)]
    [Description("LoRA+: the multiplier of the learning rate of LoRA's B.")]
    public double? LoraPlus { get; init; }

    /// <summary>Where training starts: what holds an adapter, whose method, size and places are taken over; null = at the base
    /// model.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Description("Continue from an adapter: an adapter folder, a run folder or a checkpoint. Method, size and places are that adapter's.")]
    public string? From { get; init; }

    /// <summary>Whether the adapter's file holds the frozen factors that its seed draws.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Description("Store random factors that are not trained; by default the adapter states their seed.")]
    public bool SaveFrozen { get; init; }

    /// <summary>Of a stored adapter: the model's own parameters that it holds, which a family of such takes in place of its targets'
    /// patterns.</summary>
    internal IReadOnlyList<string>? StoredParameters { get; init; }

    /// <summary>What a golden states of the heads.</summary>
    internal StatedHeads Heads { get; init; } = new();

    /// <summary>α/r, or α/√r (rank-stabilised).</summary>
    [JsonIgnore]
    public double Scale => IsOn(RankStabilised) ? Alpha / Math.Sqrt(Rank) : Alpha / Rank;

    /// <summary>The multipliers of learning rates, by the last part of a factor's name.</summary>
    internal IReadOnlyDictionary<string, double> LearningRateFactors() =>
        (LrFactors ?? new Dictionary<string, double>(StringComparer.Ordinal))
            .Concat(LoraPlus is { } ratio ? [KeyValuePair.Create("B", ratio)] : [])
            .ToDictionary(StringComparer.Ordinal);

    /// <summary>Refuses options that are wrong whatever the model.</summary>
    /// <exception cref="LortaException">LRT319: all problems at once.</exception>
    internal void Validate()
    {
        if (Problems() is { Count: > 0 } problems) throw AdapterErrors.InvalidOptions(problems);
    }

    /// <summary>Everything that is wrong with the options whatever the model, by key.</summary>
    internal IReadOnlyList<(string Key, string Text)> Problems() =>
    [
        .. Problem(Rank < 1, "rank", $"must be >= 1, was {Rank}"),
        .. Problem(Alpha < 0, "alpha", $"must be >= 0, was {Alpha}"),
        .. Problem(Dropout is not (>= 0 and < 1), "dropout", $"must be >= 0 and < 1, was {Dropout}"),
        .. Problem(Targets is { Count: 0 }, "targets", $"must name a matrix"),
        .. Problem(Targets?.Any(string.IsNullOrEmpty) == true, "targets", $"names a matrix without a letter"),
        .. Problem(Targets?.Distinct(StringComparer.Ordinal).Count() < Targets?.Count, "targets", $"names a matrix twice"),
        .. Problem(Layers.Indices is { Count: 0 }, "layers", $"must name a layer"),
        .. (Sites ?? []).Index().Where(entry => entry.Item?.Problem() is not null)
            .Select(entry => ($"sites.{entry.Index}", entry.Item.Problem()!)),
        .. (LrFactors ?? new Dictionary<string, double>(StringComparer.Ordinal)).Where(pair => !(pair.Value > 0))
            .Select(pair => ($"lrFactors.{pair.Key}", FormattableString.Invariant($"must be > 0, was {pair.Value}"))),
        .. Problem(LoraPlus is not (null or > 0), "loraPlus", $"must be > 0, was {LoraPlus}"),
        .. Problem(
            LoraPlus is not null && LrFactors?.ContainsKey("B") == true,
            "loraPlus",
            $"cannot be combined with lrFactors.B; give one of them"),
    ];

    private static IEnumerable<(string Key, string Text)> Problem(bool isThere, string key, FormattableString text) =>
        isThere ? [(key, FormattableString.Invariant(text))] : [];

    /// <summary>The value of one of the family's options, or its default.</summary>
    public string ValueOf(FamilyOption option) => Options.GetValueOrDefault(option.Name) ?? option.Default ?? string.Empty;

    /// <summary>The value of an option that is a number.</summary>
    public double NumberOf(FamilyOption option) => double.Parse(ValueOf(option), CultureInfo.InvariantCulture);

    /// <summary>The value of an option that is an integer.</summary>
    public int IntegerOf(FamilyOption option) => int.Parse(ValueOf(option), CultureInfo.InvariantCulture);

    /// <summary>Whether an option is switched on.</summary>
    public bool IsOn(FamilyOption option) => ValueOf(option) == "true";
}
