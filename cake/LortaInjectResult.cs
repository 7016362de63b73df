namespace Cake.LoRTA;

/// <summary>The result of <c>lorta inject</c>.</summary>
public sealed record LortaInjectResult
{
    /// <summary>The model that was written.</summary>
    public required string Output { get; init; }

    /// <summary>The adapter family.</summary>
    public required string Method { get; init; }

    /// <summary>Parameters of the adapter.</summary>
    public required long Trainable { get; init; }

    /// <summary>The adapted matrices, for instance <c>layers.0.q</c>.</summary>
    public required IReadOnlyList<string> Sites { get; init; }

    /// <summary>The adapter folder next to the model.</summary>
    public required string Adapter { get; init; }
}
