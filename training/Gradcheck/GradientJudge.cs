using System.Text.Json.Serialization;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>A derivative along a direction, twice.</summary>
/// <param name="Name">The trained tensor.</param>
/// <param name="Derived">gradient · v, ‖v‖ = 1.</param>
/// <param name="Measured">The same from central differences.</param>
/// <param name="Uncertainty">How far the two may differ although both are right: curvature, rounding of the loss, rounding of the
/// gradient.</param>
/// <param name="GradRelDiff">|derived − measured| relative to what the tolerance is relative to.</param>
/// <param name="Verdict">Whether they agree.</param>
/// <param name="Reason">Why that is unresolved; null where it is not.</param>
public sealed record DirectionCheck(string Name, double Derived, double Measured, double Uncertainty, double GradRelDiff,
    GradientVerdict Verdict, string? Reason)
{
    /// <summary>By how much the slopes on both sides differ at any step; 0 where the loss is smooth.</summary>
    [JsonIgnore]
    public double Kink { get; init; }
}

/// <summary>A trained tensor and its derived gradient.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Values">Its numbers.</param>
/// <param name="Gradient">∂loss/∂them.</param>
/// <param name="Noise">Length of what rounding changes about the gradient.</param>
internal sealed record CheckedTensor(string Name, double[] Values, float[] Gradient, double Noise);

/// <summary>Holds derivatives along directions against measured ones.</summary>
/// <param name="measured">Where losses come from.</param>
/// <param name="start">The trained tensors by name.</param>
/// <param name="loss">The loss at the start.</param>
/// <param name="lossNoise">Standard deviation of its rounding.</param>
/// <param name="norm">Length of all gradients together.</param>
internal sealed class GradientJudge(MeasuredLoss measured, IReadOnlyDictionary<string, double[]> start, double loss, double lossNoise,
    double norm)
{
    /// <summary>A difference above this part of the derivative is an error.</summary>
    public const double Tolerance = 2e-3;

    private const double Negligible = 1e-4;      // of all gradients: below that, a difference that cannot be told from rounding is none
    private const double Nothing = 1e-9;          // of the loss: where there is no gradient at all
    private const double GradientRounding = 5e-7; // of all gradients, at least: products and exponentials of float32
    private const double LargestStep = 0.25;      // of the tensor's length
    private const double SmallestStep = 1e-5;
    // a first step over which the loss changes by much more than its rounding, where the derivative is as small as it may be
    private const double StepsOfNoise = 100;

    /// <summary>Compares along one direction.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="direction">Of length 1.</param>
    /// <param name="isRandom">Whether it has nothing to do with the gradient: then a derivative is about ‖gradient‖/√n.</param>
    public DirectionCheck Along(CheckedTensor tensor, double[] direction, bool isRandom)
    {
        var (derived, length) = (Dot(direction, tensor.Gradient), Length(tensor.Gradient));
        if (!double.IsFinite(derived))
            return new DirectionCheck(tensor.Name, derived, double.NaN, double.NaN, double.PositiveInfinity, GradientVerdict.Wrong, null);
        var typical = Math.Max(Math.Abs(derived), length / Math.Sqrt(direction.Length));
        var wanted = Math.Max(Tolerance / 4 * typical, GradientRounding * norm);
        var size = Math.Max(1, Length(tensor.Values));
        var step = Math.Clamp(StepsOfNoise * lossNoise / wanted, SmallestStep * size, LargestStep * size);
        var slope = Slope.Measure(distance => LossAt(tensor, direction, distance), loss, step, lossNoise, wanted, derived);
        // A random direction meets little of the rounding; the gradient's own meets all of it where the gradient is little else.
        var met = Math.Max(3 / Math.Sqrt(direction.Length), isRandom ? 0 : Math.Min(1, tensor.Noise / length));
        var uncertainty = slope.Uncertainty + Math.Max(met * tensor.Noise, GradientRounding * norm);
        var own = new[] { Math.Abs(derived), Math.Abs(slope.Value), isRandom ? typical : 0 }.Max();
        return Verdict(tensor.Name, slope, derived, uncertainty, coarse: isRandom ? length : 0, own);
    }

    private double LossAt(CheckedTensor tensor, double[] direction, double distance)
    {
        var values = start.ToDictionary(StringComparer.Ordinal);
        values[tensor.Name] = [.. tensor.Values.Zip(direction, (value, v) => value + (distance * v))];
        return measured.At(values);
    }

    /// <summary>What several directions say together: wrong where two do. What one of them leaves open, or says alone, is
    /// unresolved.</summary>
    public static DirectionCheck Together(IReadOnlyList<DirectionCheck> checks)
    {
        var wrong = checks.Where(check => check.Verdict == GradientVerdict.Wrong).ToList();
        if (wrong.Count > 1) return wrong[0];
        if (wrong.Count == 1)
        {
            var reason = $"{checks.Count - 1} further directions do not confirm the difference";
            return wrong[0] with { Verdict = GradientVerdict.Unresolved, Reason = reason };
        }
        return checks.FirstOrDefault(check => check.Verdict == GradientVerdict.Unresolved) ?? checks.MaxBy(check => check.GradRelDiff)!;
    }

    // own: what the derivative itself is like; coarse: what a difference may also be held against where the loss is too rough for its
    // own size.
    private DirectionCheck Verdict(string name, Slope slope, double derived, double uncertainty, double coarse, double own)
    {
        var difference = Math.Abs(derived - slope.Value);
        var check = new DirectionCheck(name, derived, slope.Value, uncertainty, difference / own, GradientVerdict.Ok, Reason: null)
        {
            Kink = slope.Kink,
        };
        if (difference + uncertainty <= Tolerance * own) return check;
        if (difference - uncertainty > Tolerance * own && difference > slope.Kink && slope.Contradicts(derived))
            return check with { Verdict = GradientVerdict.Wrong };
        coarse = new[] { own, coarse, Negligible / Tolerance * norm, Nothing / Tolerance * Math.Abs(loss) }.Max();
        if (difference + uncertainty <= Tolerance * coarse) return check with { GradRelDiff = difference / coarse };
        var reason = slope.Kink > Tolerance * own ? "the loss has a kink here" : "the loss is not smooth or not exact enough here";
        return check with { Verdict = GradientVerdict.Unresolved, Reason = reason };
    }

    private static double Dot(double[] direction, float[] gradient) => direction.Zip(gradient, (v, g) => v * g).Sum();

    private static double Length(double[] values) => Math.Sqrt(values.Sum(value => value * value));

    private static double Length(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
