using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>The adapter of a recipe.</summary>
[Description("An adapter: family, size and the places that it adapts.")]
internal sealed record AdapterOptions
{
    [Description("The adapter family; see `lorta methods`.")]
    public string Method { get; init; } = "lorta";

    [Range(1, int.MaxValue), Description("Rank r; cost and parameters grow linearly with it.")]
    public int Rank { get; init; } = 8;

    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true), Description("Numerator of the scale α/r.")]
    public double Alpha { get; init; } = 16;

    [Choice("q", "k", "v", "p", NotYet = ["gate", "up", "down", "all-linear"])]
    [Description("Adapted matrices: queries, keys, values, the attention's output projection.")]
    public IReadOnlyList<string> Targets { get; init; } = ["q", "k", "v", "p"];

    [Description("Adapted layers: all, or a list of indices from 0.")]
    public LayerChoice Layers { get; init; } = LayerChoice.All;

    [Range(0, 1, MaximumIsExclusive = true), Description("Share of the adapter's inputs that is dropped while training.")]
    public double Dropout { get; init; }

    [Description("The family's own options; see `lorta methods --help`.")]
    public IReadOnlyDictionary<string, JsonElement> Options { get; init; } = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
}
