namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Ranges of features, [start, end) each.</summary>
internal static class Ranges
{
    /// <summary>The numbers in the ranges, one range after the other.</summary>
    public static IEnumerable<long> Numbers(IReadOnlyList<(long Start, long End)> ranges)
    {
        foreach (var (start, end) in ranges)
            for (var number = start; number < end; number++) yield return number;
    }
}
