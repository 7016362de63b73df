namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>The worst of some differences. <c>Max</c> passes over NaN; here it counts as ∞.</summary>
internal static class LargestDeviation
{
    public static double Of(IEnumerable<double> differences) =>
        differences.Select(difference => double.IsNaN(difference) ? double.PositiveInfinity : difference).DefaultIfEmpty(0).Max();

    /// <summary>Null where there are none.</summary>
    public static double? OrNone(IEnumerable<double?> differences) =>
        differences.OfType<double>().ToList() is { Count: > 0 } known ? Of(known) : null;
}
