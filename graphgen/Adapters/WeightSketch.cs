namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A few numbers of each adapted weight W [in, out], at positions that depend on the address only: recognises a model in another export or storage.</summary>
/// <param name="Tolerance">Rounding of the stored weights, relative to their typical size: 0 for float32.</param>
/// <param name="Values">Numbers by address.</param>
public sealed record WeightSketch(double Tolerance, IReadOnlyDictionary<string, IReadOnlyList<float>> Values)
{
    internal const int PerSite = 8;

    /// <summary>How far each number may be from the one that was quantised, by address; absent where weights are stored as floats.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<float>>? Steps { get; init; }

    /// <summary>The first site of the other model whose numbers are missing here or differ by more than both roundings allow, with the relative difference; null = the same weights.</summary>
    internal (string Address, double Difference)? FirstDifference(WeightSketch other)
    {
        var allowed = 1e-5 + Tolerance + other.Tolerance;
        foreach (var (address, others) in other.Values)
        {
            if (!Values.TryGetValue(address, out var values) || values.Count != others.Count) return (address, double.PositiveInfinity);
            var size = Math.Sqrt(values.Sum(value => (double)value * value));
            var beyond = Math.Sqrt(values.Index().Sum(item => Squared(Math.Max(0, Math.Abs((double)item.Item - others[item.Index]) - StepOf(address, item.Index) - other.StepOf(address, item.Index)))));
            if (!(beyond <= allowed * Math.Max(size, double.Epsilon))) return (address, beyond / size);
        }
        return null;
    }

    private static double Squared(double x) => x * x;

    private double StepOf(string address, int index) => Steps is not null && Steps.TryGetValue(address, out var steps) ? steps[index] : 0;
}
