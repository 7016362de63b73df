namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Where special tokens go around one text and around a pair.</summary>
internal sealed record SequenceTemplate(IReadOnlyList<TemplatePart> Single, IReadOnlyList<TemplatePart> Pair)
{
    /// <summary>No special tokens; a pair is simply joined.</summary>
    public static SequenceTemplate Bare { get; } = new([TemplatePart.First()], [TemplatePart.First(), TemplatePart.Second(1)]);

    /// <summary>Puts the special tokens around ids cut so that all fits <paramref name="maxLength"/>: longest first, as Hugging Face
    /// does.</summary>
    public EncodedText Wrap(int[] first, int[]? second, int maxLength)
    {
        var parts = second is null ? Single : Pair;
        var (given, room) = (first.Length + (second?.Length ?? 0), Math.Max(0, maxLength - SpecialTokens(parts)));
        var (firstLength, secondLength) = LongestFirst(first.Length, second?.Length ?? 0, room);
        var ids = new List<int>();
        var types = new List<int>();
        var start = 0;
        foreach (var part in parts)
        {
            if (part.Kind == TemplatePart.Kinds.First) start = ids.Count;
            ids.AddRange(part.Kind switch
            {
                TemplatePart.Kinds.First => first.AsSpan(0, firstLength),
                TemplatePart.Kinds.Second => second.AsSpan(0, secondLength),
                _ => [part.Id],
            });
            types.AddRange(Enumerable.Repeat(part.TypeId, ids.Count - types.Count));
        }
        return new EncodedText([.. ids], [.. types], start, firstLength, given - firstLength - secondLength);
    }

    /// <summary>Number of special tokens among parts.</summary>
    public static int SpecialTokens(IReadOnlyList<TemplatePart> parts) => parts.Count(part => part.Kind == TemplatePart.Kinds.Token);

    // The shorter text is kept whole while it takes at most half of the room.
    private static (int First, int Second) LongestFirst(int first, int second, int room)
    {
        if (first + second <= room) return (first, second);
        if (first > second)
        {
            var (longer, shorter) = Cut(second);
            return (longer, shorter);
        }
        var (second2, first2) = Cut(first);
        return (first2, second2);

        (int Longer, int Shorter) Cut(int shorter) => shorter <= room / 2 ? (room - shorter, shorter) : ((room / 2) + (room % 2), room / 2);
    }
}

/// <summary>What stands in one place of a template: a special token, or the first or second text.</summary>
internal readonly record struct TemplatePart(TemplatePart.Kinds Kind, int Id, int TypeId)
{
    internal enum Kinds
    {
        Token,
        First,
        Second,
    }

    public static TemplatePart Token(int id, int typeId = 0) => new(Kinds.Token, id, typeId);

    public static TemplatePart First(int typeId = 0) => new(Kinds.First, 0, typeId);

    public static TemplatePart Second(int typeId = 0) => new(Kinds.Second, 0, typeId);
}
