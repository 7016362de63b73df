using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Training.Tests.Gradcheck;

internal sealed class SlopeTests
{
    private const double Wanted = 1e-4;

    private static IEnumerable<TestCaseData> Functions()
    {
        Func<double, double> curved = x => Math.Exp(Math.Sin(3 * x)), steep = x => Math.Tanh(40 * x), kinkNearby = x => x + (0.3 * Math.Max(0, x - 2e-3)) + (0.2 * Math.Max(0, -x - 1e-3));
        yield return new TestCaseData(curved, 3.0).SetArgDisplayNames("curved");
        yield return new TestCaseData(steep, 40.0).SetArgDisplayNames("steep");
        yield return new TestCaseData(kinkNearby, 1.0).SetArgDisplayNames("kinks nearby");
    }

    [TestCaseSource(nameof(Functions))]
    public void Slope_is_found_and_a_right_claim_is_not_contradicted(Func<double, double> f, double slope)
    {
        var measured = Slope.Measure(Rounded(f, 1e-12), f(0), 0.25, 1e-12, Wanted, claimed: slope);

        Assert.That(Math.Abs(measured.Value - slope), Is.LessThanOrEqualTo(measured.Uncertainty));
        Assert.That(measured.Uncertainty, Is.LessThanOrEqualTo(Wanted));
        Assert.That(measured.Contradicts(slope), Is.False);
    }

    [TestCaseSource(nameof(Functions))]
    public void Claim_that_is_off_by_a_percent_is_contradicted(Func<double, double> f, double slope)
    {
        var measured = Slope.Measure(Rounded(f, 1e-12), f(0), 0.25, 1e-12, Wanted, claimed: 1.01 * slope);

        Assert.That(measured.Contradicts(1.01 * slope), Is.True);
        Assert.That(measured.Kink, Is.Zero);
    }

    // Where the rounding is that of float32, kinks may be nearer than any step that shows a difference.
    [TestCaseSource(nameof(Functions))]
    public void Right_claim_is_not_contradicted_however_coarse_the_values(Func<double, double> f, double slope)
    {
        foreach (var noise in new[] { 1e-3, 1e-5, 1e-7, 1e-9 })
        {
            var measured = Slope.Measure(Rounded(f, noise), f(0), 0.25, noise, Wanted, claimed: slope);

            Assert.That(measured.Contradicts(slope), Is.False, $"noise {noise}: {measured}");
        }
    }

    [Test]
    public void Two_steps_that_agree_by_coincidence_do_not_settle_it()
    {
        static double Wavy(double x) => Math.Sin(2 * Math.PI * x / 0.0625) / 1000;   // 0.25, 0.125 and 0.0625 are whole periods

        var measured = Slope.Measure(Rounded(Wavy, 1e-12), 0, 0.25, 1e-12, Wanted, claimed: 2 * Math.PI / 62.5);

        Assert.That(measured.Value, Is.EqualTo(2 * Math.PI / 62.5).Within(1e-4));
    }

    [Test]
    public void Kink_at_the_place_itself_is_told()
    {
        static double Bent(double x) => x + Math.Max(0, x);

        var measured = Slope.Measure(Rounded(Bent, 1e-12), 0, 0.25, 1e-12, Wanted, claimed: 1);

        Assert.That(measured.Kink, Is.EqualTo(1).Within(0.05));   // at a step whose rounding is a part of that
        Assert.That(measured.Value, Is.EqualTo(1.5).Within(1e-6));
    }

    [Test]
    public void Steps_that_leave_the_domain_are_halved()
    {
        static double Logarithm(double x) => x > -0.1 ? Math.Log(1 + (10 * x)) : double.NaN;

        Assert.That(Slope.Measure(Logarithm, 0, 0.25, 1e-15, Wanted, claimed: 10).Value, Is.EqualTo(10).Within(1e-4));
    }

    [Test]
    public void Function_without_a_value_has_no_slope()
    {
        var measured = Slope.Measure(_ => double.NaN, 0, 0.25, 1e-15, Wanted, claimed: 0);

        Assert.That(measured.Uncertainty, Is.EqualTo(double.PositiveInfinity));
        Assert.That(measured.Contradicts(0), Is.False);
    }

    private static Func<double, double> Rounded(Func<double, double> f, double noise)
    {
        var random = new SeededRandom(0, "noise");
        return x => f(x) + (noise * random.NextNormal());
    }
}
