namespace LoRTA.Onnx.Training.Schedules;

/// <summary>The factor by which each optimizer step scales every peak learning rate.</summary>
/// <remarks>Step t = 1, 2, …, T with w warm-up steps. t ≤ w: t/w. Then constant 1, linear (T − t + 1)/(T − w),
/// cosine ½(1 + cos π(t − 1 − w)/(T − w)).</remarks>
internal sealed class LearningRateSchedule
{
    private static readonly Dictionary<string, Func<double, double>> Shapes = new(StringComparer.Ordinal)   // progress in [0, 1) → factor
    {
        ["constant"] = _ => 1,
        ["linear"] = progress => 1 - progress,
        ["cosine"] = progress => 0.5 * (1 + Math.Cos(Math.PI * progress)),
    };

    private readonly Func<double, double> _shape;

    public LearningRateSchedule(Schedule options, long steps)
    {
        _shape = Shapes[options.Name];
        Steps = steps;
        // decimal: 0.07·100 is 7, not 7.000000000000001
        WarmupSteps = options.WarmupSteps ?? (long)Math.Ceiling((decimal)options.WarmupRatio * steps);
    }

    /// <summary>All steps of the run, T.</summary>
    public long Steps { get; }

    /// <summary>Steps over which the factor rises, w.</summary>
    public long WarmupSteps { get; }

    /// <summary>The factor of step <paramref name="t"/>, counted from 1.</summary>
    public double At(long t) => t <= WarmupSteps ? (double)t / WarmupSteps : _shape((double)(t - 1 - WarmupSteps) / (Steps - WarmupSteps));
}
