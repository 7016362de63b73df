using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen.Artifacts;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Parameters of the model that train along with the adapter.</summary>
/// <param name="Match">Name or pattern; <c>*</c> stands for any characters, dots included. An exact name of a bias that the exporter dropped inserts it as zeros.</param>
/// <param name="Group">Learning rate and decay of their own.</param>
public sealed record TrainablePattern(string Match, ParameterGroup Group)
{
    /// <summary>Whether the pattern is a plain name.</summary>
    internal bool IsExact => !Match.Contains('*', StringComparison.Ordinal);

    /// <summary>Whether a parameter's name fits.</summary>
    internal bool Fits(string name)
    {
        var pattern = Regex.Escape(Match).Replace("\\*", ".*", StringComparison.Ordinal);
        return Regex.IsMatch(name, $"^{pattern}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }
}
