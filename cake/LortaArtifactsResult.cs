namespace Cake.LoRTA;

/// <summary>The result of <c>lorta artifacts</c>.</summary>
public sealed record LortaArtifactsResult
{
    /// <summary>Names of the files that were written.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long Trainable { get; init; }

    /// <summary>Inputs of the training graph, in order.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>Outputs of the training graph, in order.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }
}
