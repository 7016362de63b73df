namespace Cake.LoRTA;

/// <summary>The result of <c>lorta convert</c>.</summary>
public sealed record LortaConvertResult
{
    /// <summary>The adapter folder.</summary>
    public required string Output { get; init; }

    /// <summary>The adapter family.</summary>
    public required string Method { get; init; }

    /// <summary>How far its updates are from what was converted, relative; 0 = exact.</summary>
    public required double Error { get; init; }
}
