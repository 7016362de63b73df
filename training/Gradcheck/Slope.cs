
namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>The slope of a function at 0, measured by central differences.</summary>
/// <param name="Value">The best estimate.</param>
/// <param name="Uncertainty">How far the slope may be from it: what extrapolation or smaller steps change, and the rounding of the
/// function's values over the step.</param>
/// <param name="Plain">(f(h) − f(−h)) / 2h at the smallest step.</param>
/// <param name="PlainRounding">What rounding alone may contribute to <paramref name="Plain"/>.</param>
/// <param name="Kink">By how much the slopes on the right and on the left of 0 differ however small the step; 0 where the function is
/// smooth.</param>
internal sealed record Slope(double Value, double Uncertainty, double Plain, double PlainRounding, double Kink)
{
    private const int Halvings = 40;
    private const int Orders = 4;
    private const double Deviations = 3;       // of the noise that a difference may be off by
    private const double Amplification = 1.5;  // extrapolation adds up the noise of several differences
    private const double Visible = 4;          // times its rounding

    /// <summary>Measures a slope, where one is claimed.</summary>
    /// <remarks>Halves the step and extrapolates to step 0 (Richardson, as Romberg's table) until the result is certain enough: large
    /// steps suffer from curvature and kinks, small ones from rounding. What contradicts the claim must hold down to the smallest step
    /// whose difference is still visible over rounding: the remainder of a right slope goes to 0 there, that of a wrong one does
    /// not.</remarks>
    /// <param name="f">The function.</param>
    /// <param name="atZero">f(0).</param>
    /// <param name="firstStep">The largest step.</param>
    /// <param name="noise">Standard deviation of the rounding of the function's values.</param>
    /// <param name="wanted">An uncertainty that is good enough.</param>
    /// <param name="claimed">The slope that somebody derived.</param>
    public static Slope Measure(Func<double, double> f, double atZero, double firstStep, double noise, double wanted, double claimed)
    {
        var (estimates, differences) = (new List<Estimate>(), new List<Difference>());
        double[] above = [];
        var step = firstStep;
        for (var halving = 0; halving < Halvings; halving++, step /= 2)
        {
            var right = f(step);
            var left = f(-step);
            var rounding = Deviations * noise / (Math.Sqrt(2) * step);
            if (!double.IsFinite(right) || !double.IsFinite(left))
            {
                above = [];
                estimates = [];
                differences = [];
                continue;   // the step leaves the function's domain
            }
            differences.Add(new Difference((right - left) / (2 * step), (right - (2 * atZero) + left) / step, rounding));
            var row = Extrapolated(differences[^1].Value, above);
            if (row.Length > 1) Add(estimates, Best(row, above, rounding));
            above = row;
            if (estimates.Count > 0 && IsEnough(estimates.MinBy(estimate => estimate.Uncertainty), differences[^1], wanted, claimed)) break;
        }
        if (estimates.Count == 0) return new Slope(double.NaN, double.PositiveInfinity, double.NaN, double.PositiveInfinity, 0);
        var best = estimates.MinBy(estimate => estimate.Uncertainty);
        return new Slope(best.Value, best.Uncertainty, differences[^1].Value, differences[^1].Rounding,
            KinkOf(differences, Math.Abs(best.Value - claimed)));
    }

    /// <summary>Whether the smallest step, too, is far from a claimed slope and near to the estimate.</summary>
    public bool Contradicts(double claimed)
    {
        var distance = Math.Abs(Value - claimed);
        return distance > Uncertainty && Math.Abs(Plain - Value) + PlainRounding <= distance * 0.75;
    }

    private static bool IsEnough(Estimate best, Difference last, double wanted, double claimed)
    {
        if (best.Uncertainty <= wanted && Math.Abs(best.Value - claimed) <= wanted) return true;
        var needed = best.Uncertainty <= wanted ? Math.Abs(last.Value - claimed) / Visible : best.Uncertainty;
        return last.Rounding > needed;   // smaller steps show nothing but rounding
    }

    // A row of the table: entry j has an error of order step^(2j + 2).
    private static double[] Extrapolated(double difference, double[] above)
    {
        var row = new double[Math.Min(above.Length + 1, Orders)];
        row[0] = difference;
        for (var (j, power) = (1, 4.0); j < row.Length; j++, power *= 4) row[j] = row[j - 1] + ((row[j - 1] - above[j - 1]) / (power - 1));
        return row;
    }

    private static Estimate Best(double[] row, double[] above, double rounding) => Enumerable.Range(1, row.Length - 1)
        .Select(j => new Estimate(row[j],
            Math.Max(Math.Abs(row[j] - row[j - 1]), Math.Abs(row[j] - above[j - 1])) + (Amplification * rounding)))
        .MinBy(estimate => estimate.Uncertainty);

    // An estimate of larger steps that a smaller one contradicts was a coincidence.
    private static void Add(List<Estimate> estimates, Estimate next)
    {
        for (var i = 0; i < estimates.Count; i++)
        {
            var beyond = Math.Abs(estimates[i].Value - next.Value) - next.Uncertainty;
            estimates[i] = estimates[i] with { Uncertainty = Math.Max(estimates[i].Uncertainty, beyond) };
        }
        estimates.Add(next);
    }

    // f(h) − 2f(0) + f(−h) over h goes to 0 with h where f is smooth, and to the difference of the slopes at a kink. Asked at the
    // smallest step that shows one of a size.
    private static double KinkOf(List<Difference> differences, double size)
    {
        var last = differences.FindLastIndex(difference => 4 * Visible * difference.Rounding <= size);
        if (last < 1) return 0;
        var (jump, before) = (differences[last].Jump, differences[last - 1].Jump);
        var kink = Math.Abs((2 * jump) - before);
        return kink > Math.Abs(jump - before) + (4 * differences[last].Rounding) ? kink : 0;
    }

    private readonly record struct Estimate(double Value, double Uncertainty);

    private readonly record struct Difference(double Value, double Jump, double Rounding);
}
