namespace LoRTA.Onnx.Export.Verification;

/// <summary>What two models are compared on.</summary>
public sealed record VerifyOptions
{
    /// <summary>Inputs from a file; null = seeded random tokens.</summary>
    public string? Inputs { get; init; }

    /// <summary>Random rows; the last two are padded.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>Length of random rows.</summary>
    public int Length { get; init; } = 32;

    /// <summary>Seed of the random tokens.</summary>
    public long Seed { get; init; }

    /// <summary>Largest relative difference that passes.</summary>
    public double Tolerance { get; init; } = 1e-5;
}
