using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.GraphGen;

/// <summary>Parameters of the model that train along with the adapter, with settings of their own.</summary>
public sealed record TrainablePattern
{
    /// <summary>Name or pattern, in which <c>*</c> stands for any characters. The exact name of an omitted bias (one of zeros, which the
    /// exporter did not write) inserts it as zeros.</summary>
    [Description("Pattern on parameter names; * crosses dots.")]
    public required string Match { get; init; }

    /// <summary>Learning rate; null = the optimizer's.</summary>
    [JsonPropertyName("lr"), Range(0, double.PositiveInfinity, MinimumIsExclusive = true)]
    [Description("Peak learning rate. Default: the adapter's.")]
    public double? LearningRate { get; init; }

    /// <summary>Decay λ; null = the optimizer's.</summary>
    [Range(0, double.PositiveInfinity), Description("Decoupled weight decay. Default: the adapter's.")]
    public double? WeightDecay { get; init; }

    internal ParameterGroup Group => new(LearningRate, WeightDecay);

    /// <summary>Whether the pattern is a plain name.</summary>
    internal bool IsExact => !Match.Contains('*', StringComparison.Ordinal);

    /// <summary>Whether a parameter's name fits.</summary>
    internal bool Fits(string name)
    {
        var pattern = Regex.Escape(Match).Replace("\\*", ".*", StringComparison.Ordinal);
        return Regex.IsMatch(name, $"^{pattern}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }
}
