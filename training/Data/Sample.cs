using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Training.Data;

/// <summary>One encoded example.</summary>
/// <param name="Ids">Token ids, special tokens included.</param>
/// <param name="TypeIds">Segment of each token.</param>
internal sealed record Sample(int[] Ids, int[] TypeIds)
{
    /// <summary>The label that a token does not count by.</summary>
    public const long Ignored = TaskLosses.Ignored;

    /// <summary>The place of a letter or word of which no token is in the sample.</summary>
    public const int NoToken = -1;

    public Sample(int[] ids)
        : this(ids, new int[ids.Length])
    {
    }

    /// <summary>One label per token; null where the task has one per sample, or none.</summary>
    public long[]? TokenLabels { get; init; }

    /// <summary>Where the first token of each letter or word stands, of rows without labels for token-classification; null
    /// elsewhere.</summary>
    public int[]? WordStarts { get; init; }

    /// <summary>The sample's own label, a class index or a number.</summary>
    public float? Label { get; init; }

    /// <summary>Whether it says what is right; rows to be predicted do not.</summary>
    public bool IsLabelled => Label is not null || TokenLabels is not null;

    /// <summary>Tokens that the length limit cut off.</summary>
    public int TokensCut { get; init; }

    /// <summary>Whether a text of the row was blank or null.</summary>
    public bool IsEmpty { get; init; }
}
