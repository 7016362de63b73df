namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A few numbers of each adapted weight W [in, out], at positions that depend on the address only: recognises a model in another export or storage.</summary>
/// <param name="Tolerance">Rounding of the stored weights, relative to their typical size: 0 for float32.</param>
/// <param name="Values">Numbers by address.</param>
public sealed record WeightSketch(double Tolerance, IReadOnlyDictionary<string, IReadOnlyList<float>> Values)
{
    internal const int PerSite = 8;

    /// <summary>The first site of the other model whose numbers are missing here or differ by more than both roundings allow, with the relative difference; null = the same weights.</summary>
    internal (string Address, double Difference)? FirstDifference(WeightSketch other)
    {
        var allowed = 1e-5 + Tolerance + other.Tolerance;
        foreach (var (address, others) in other.Values)
        {
            if (!Values.TryGetValue(address, out var values) || values.Count != others.Count) return (address, double.PositiveInfinity);
            var size = Math.Sqrt(values.Sum(value => (double)value * value));
            var difference = Math.Sqrt(values.Zip(others, (a, b) => ((double)a - b) * (a - b)).Sum());
            if (!(difference <= allowed * Math.Max(size, double.Epsilon))) return (address, difference / size);   // NaN is a difference
        }
        return null;
    }
}
