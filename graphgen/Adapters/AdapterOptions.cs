using System.ComponentModel;
using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>What an adapter is asked to be.</summary>
public sealed record AdapterOptions
{
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

    /// <summary>α/r, or α/√r (rank-stabilised).</summary>
    internal double Scale => Choice("rslora", "false", "true") == "true" ? Alpha / Math.Sqrt(Rank) : Alpha / Rank;

    /// <summary>One of the allowed values of an option; the first is the default.</summary>
    internal string Choice(string name, params ReadOnlySpan<string> allowed)
    {
        var value = Options.GetValueOrDefault(name, allowed[0]);
        return allowed.Contains(value) ? value : throw AdapterErrors.OptionValue(Method, name, value, allowed.ToArray());
    }
}
