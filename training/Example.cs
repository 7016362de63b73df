using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training;

/// <summary>A row of tokens with what is right for it: at most one of <see cref="Class"/>, <see cref="Number"/> and
/// <see cref="TokenLabels"/>.</summary>
/// <param name="Ids">Token ids, special tokens included.</param>
public sealed record Example(int[] Ids)
{
    /// <summary>Index of its class, for the task <c>classification</c>.</summary>
    public int? Class { get; init; }

    /// <summary>Its number, for the task <c>regression</c>.</summary>
    public float? Number { get; init; }

    /// <summary>A class or a token id for each token; −100 where none counts. For <c>causal-lm</c> the labels are the ids themselves: the
    /// loss compares each token with the label of the next.</summary>
    public long[]? TokenLabels { get; init; }

    /// <summary>Segment of each token; null = 0 for all.</summary>
    public int[]? TypeIds { get; init; }

    /// <summary>What its label looks like.</summary>
    /// <exception cref="ArgumentException">Two labels.</exception>
    internal LabelKind Labels => (Class, Number, TokenLabels) switch
    {
        (null, null, null) => LabelKind.None,
        (not null, null, null) => LabelKind.Class,
        (null, not null, null) => LabelKind.Number,
        (null, null, not null) => LabelKind.Token,
        _ => throw new ArgumentException("An example has one of Class, Number and TokenLabels, not several."),
    };

    /// <summary>The same for the readers of batches.</summary>
    /// <exception cref="ArgumentException">No tokens, a list beside them that has another length, or a number that is not
    /// finite.</exception>
    internal Sample ToSample()
    {
        if (Ids.Length == 0) throw new ArgumentException("An example needs at least one token.");
        if (Number is { } number && !float.IsFinite(number)) throw new ArgumentException($"The number of an example is {number}.");
        if ((TokenLabels?.Length ?? Ids.Length) != Ids.Length || (TypeIds?.Length ?? Ids.Length) != Ids.Length)
            throw new ArgumentException($"TokenLabels and TypeIds need one number for each of the {Ids.Length} tokens.");
        return new Sample(Ids, TypeIds ?? new int[Ids.Length]) { Label = Class ?? Number, TokenLabels = TokenLabels };
    }
}
