using System.Text.Json;

namespace Cake.LoRTA;

/// <summary>One self-attention and its MLP; null is what was not understood or does not exist.</summary>
public sealed record LortaLayer
{
    /// <summary>Position in the order of the data.</summary>
    public required int Index { get; init; }

    /// <summary>Queries.</summary>
    public LortaSite? Q { get; init; }

    /// <summary>Keys.</summary>
    public LortaSite? K { get; init; }

    /// <summary>Values.</summary>
    public LortaSite? V { get; init; }

    /// <summary>Output projection.</summary>
    public LortaSite? P { get; init; }

    /// <summary>The MLP's linear layer in front of the activation, where another one is multiplied with the result.</summary>
    public LortaSite? Gate { get; init; }

    /// <summary>The MLP's first linear layer, or the one next to <see cref="Gate"/>.</summary>
    public LortaSite? Up { get; init; }

    /// <summary>The MLP's last linear layer.</summary>
    public LortaSite? Down { get; init; }
}

/// <summary>A linear layer in the deployed file.</summary>
public sealed record LortaSite
{
    /// <summary>The node that applies the weight.</summary>
    public required string Node { get; init; }

    /// <summary>Its operator.</summary>
    public required string Op { get; init; }

    /// <summary>Its first output.</summary>
    public required string Output { get; init; }

    /// <summary>The tensor that stores the weight.</summary>
    public required string Weight { get; init; }

    /// <summary>How the stored matrix lies: <c>in_out</c> or <c>out_in</c>.</summary>
    public required string Layout { get; init; }

    /// <summary>Input width.</summary>
    public required int In { get; init; }

    /// <summary>Output width.</summary>
    public required int Out { get; init; }

    /// <summary>Heads; null in an MLP.</summary>
    public int? Heads { get; init; }

    /// <summary>Output features inside the stored matrix: [start, end], or a list of such where heads interleave.</summary>
    public required JsonElement Columns { get; init; }

    /// <summary>Operators between the stored weight and the product.</summary>
    public required IReadOnlyList<string> Through { get; init; }

    /// <summary>The tensor that stores the bias; null = none.</summary>
    public string? Bias { get; init; }

    /// <summary>Features inside the stored bias, as <see cref="Columns"/>.</summary>
    public JsonElement? BiasColumns { get; init; }

    /// <summary>The node that adds the bias.</summary>
    public string? BiasNode { get; init; }

    /// <summary>How the stored weight is quantised; null where it is not.</summary>
    public LortaQuantization? Quantization { get; init; }
}

/// <summary>How a stored weight is quantised.</summary>
public sealed record LortaQuantization
{
    /// <summary>Type and blocks.</summary>
    public required string Kind { get; init; }

    /// <summary>Bits of a code.</summary>
    public required int Bits { get; init; }

    /// <summary>Numbers that share a scale.</summary>
    public required long BlockSize { get; init; }

    /// <summary>The tensor of scales.</summary>
    public required string Scales { get; init; }

    /// <summary>The tensor of zero points; null = the middle of the codes.</summary>
    public string? ZeroPoints { get; init; }
}
