namespace LoRTA.Onnx.Export.Folding;

/// <summary>How the weights of a folded model are rounded to low-bit codes; they are made anew when it changes.</summary>
internal sealed class RoundingChoice
{
    /// <summary>Second moments of the inputs by site; null = each number to the nearest code.</summary>
    public IReadOnlyDictionary<string, SecondMoments>? Moments { get; private set; }

    /// <summary>Whether nothing else is chosen any more: what was rounded otherwise need not be kept.</summary>
    public bool IsFinal { get; private set; }

    /// <summary>Rounds by other moments from now on.</summary>
    public void Use(IReadOnlyDictionary<string, SecondMoments>? moments) => Moments = moments;

    /// <summary>Rounds by these moments for good.</summary>
    public void Decide(IReadOnlyDictionary<string, SecondMoments>? moments) => (Moments, IsFinal) = (moments, true);
}
