using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters.Stored;

/// <summary>A few numbers of each matrix of a model, at positions that depend on its name and size only: recognises the model in another
/// export or storage.</summary>
/// <param name="Values">Numbers by name: the address of an adapted matrix, else PyTorch's name.</param>
public sealed record WeightSketch(IReadOnlyDictionary<string, IReadOnlyList<float>> Values)
{
    internal const int PerMatrix = 8;

    // What differences of float32 numbers may come from: another order of the same sums, while an exporter merged constants.
    private const double Float32Rounding = 1e-5;

    // A number 0 does not tell its step: that is taken to be at most so many times the largest of the other numbers.
    private const float StepRange = 16;

    /// <summary>Rounding of the stored weights, relative to their typical size, for readers of the file; comparisons take it from the
    /// numbers themselves.</summary>
    public double Tolerance { get; init; }

    /// <summary>How far each number may be from the one that was quantised, by name; absent where weights are stored as floats.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<float>>? Steps { get; init; }

    /// <summary>The sketch without matrices of which a number is not finite, such as a stored mask: JSON has no such numbers.</summary>
    internal WeightSketch Finite()
    {
        var names = Values.Where(pair => pair.Value.Concat(Steps?.GetValueOrDefault(pair.Key) ?? []).All(float.IsFinite))
            .Select(pair => pair.Key)
            .ToHashSet(StringComparer.Ordinal);
        return names.Count == Values.Count ? this : this with { Values = Kept(Values), Steps = Steps is null ? null : Kept(Steps) };

        SortedDictionary<string, IReadOnlyList<float>> Kept(IReadOnlyDictionary<string, IReadOnlyList<float>> all) =>
            new(all.Where(pair => names.Contains(pair.Key)).ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    /// <summary>The matrices whose numbers differ by more than both roundings allow, with the relative difference. What only one of the
    /// two names is not compared.</summary>
    /// <param name="other">The sketch of another file.</param>
    /// <param name="required">Names that this sketch must hold; infinitely different where it does not.</param>
    internal IEnumerable<(string Name, double Difference)> DifferencesFrom(WeightSketch other, IReadOnlySet<string> required)
    {
        foreach (var (name, others) in other.Values)
        {
            if (!Values.TryGetValue(name, out var values))
            {
                if (required.Contains(name)) yield return (name, double.PositiveInfinity);
                continue;
            }
            if (DifferenceOf(values, others, other, name) is { } difference) yield return (name, difference);
        }
    }

    /// <summary>What is wrong with the sketch itself, as a key and a sentence; null = nothing.</summary>
    internal (string Key, string Text)? Problem()
    {
        if (Values is null) return ("values", "is missing");
        foreach (var (name, values) in Values)
            if (values is null || values.Count != PerMatrix || !values.All(float.IsFinite))
                return ($"values.{name}", $"must hold {PerMatrix} finite numbers");
        foreach (var (name, steps) in Steps ?? new Dictionary<string, IReadOnlyList<float>>(StringComparer.Ordinal))
        {
            if (steps is null || steps.Count != PerMatrix || !steps.All(step => float.IsFinite(step) && step >= 0))
                return ($"steps.{name}", $"must hold {PerMatrix} finite numbers that are not negative");
            if (!Values.TryGetValue(name, out var values)) return ($"steps.{name}", "has no values");
            if (values.Zip(steps).Any(pair => !IsMultiple(pair.First, pair.Second))) return ($"steps.{name}", "does not divide the values");
        }
        return null;
    }

    private double? DifferenceOf(IReadOnlyList<float> values, IReadOnlyList<float> others, WeightSketch other, string name)
    {
        if (values.Count != others.Count) return double.PositiveInfinity;
        var (rounding, otherRounding) = (RoundingOf(values), RoundingOf(others));
        var (size, beyond) = (0.0, 0.0);
        for (var i = 0; i < values.Count; i++)
        {
            var allowed = (rounding * Math.Abs(values[i])) + (otherRounding * Math.Abs(others[i])) + StepOf(name, i)
                + other.StepOf(name, i);
            size += (double)values[i] * values[i];
            beyond += Math.Pow(Math.Max(0, Math.Abs((double)values[i] - others[i]) - allowed), 2);
        }
        var (length, distance) = (Math.Max(Math.Sqrt(size), double.Epsilon), Math.Sqrt(beyond));
        return distance <= Float32Rounding * length ? null : distance / length;
    }

    // Numbers that are all exact in 16 bits were stored in them (by chance, one float32 in 8,192 is). What bfloat16 holds, float16
    // mostly holds too.
    private static double RoundingOf(IReadOnlyList<float> values)
    {
        if (values.All(value => (BitConverter.SingleToUInt32Bits(value) & 0xFFFF) == 0)) return FloatNumbers.BFloat16Rounding;
        return values.All(value => (float)(Half)value == value) ? FloatNumbers.Float16Rounding : 0;
    }

    private float StepOf(string name, int index)
    {
        if (Steps is null || !Steps.TryGetValue(name, out var steps)) return 0;
        if (Values[name][index] != 0) return steps[index];
        var known = steps.Where((_, i) => Values[name][i] != 0).DefaultIfEmpty(float.PositiveInfinity).Max();
        return Math.Min(steps[index], StepRange * known);
    }

    // value = (code − zero point)·step
    private static bool IsMultiple(float value, float step)
    {
        const double HighestCode = 256;
        var code = Math.Abs(value / (double)step);
        return value == 0 || (code <= HighestCode && Math.Abs(code - Math.Round(code)) < 1e-3 && code > 0.5);
    }
}
