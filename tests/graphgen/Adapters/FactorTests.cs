using LoRTA.Onnx.GraphGen.Adapters;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

internal sealed class FactorTests
{
    [Test]
    public void Same_seed_and_name_draw_the_same_values()
    {
        var first = Draw("A", 7, Init.Normal(1));
        Draw("B", 7, Init.Normal(1));

        Assert.That(Draw("A", 7, Init.Normal(1)), Is.EqualTo(first));
    }

    [Test]
    public void Another_seed_draws_other_values() => Assert.That(Draw("A", 8, Init.Normal(1)), Is.Not.EqualTo(Draw("A", 7, Init.Normal(1))));

    [Test]
    public void Another_name_draws_other_values() => Assert.That(Draw("B", 7, Init.Normal(1)), Is.Not.EqualTo(Draw("A", 7, Init.Normal(1))));

    [Test]
    public void Longer_factor_begins_with_the_values_of_the_shorter_one() =>
        Assert.That(new Factor("A", [100], Init.Normal(1)).Draw(7).ToFloats()[..12], Is.EqualTo(Draw("A", 7, Init.Normal(1))));

    [Test]
    public void Normal_values_have_their_deviation()
    {
        var values = new Factor("A", [20000], Init.Normal(0.5)).Draw(0).ToFloats();

        Assert.That(values.Average(), Is.Zero.Within(0.015));
        Assert.That(Math.Sqrt(values.Average(value => (double)value * value)), Is.EqualTo(0.5).Within(0.01));
    }

    [Test]
    public void Uniform_values_fill_their_bounds()
    {
        var values = new Factor("A", [20000], Init.Uniform(0.25)).Draw(0).ToFloats();

        Assert.That((values.Min(), values.Max()), Is.EqualTo((-0.25f, 0.25f)).Using<(float, float)>((a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-3 && Math.Abs(a.Item2 - b.Item2) < 1e-3));
    }

    [Test]
    public void Constant_values_are_constant() => Assert.That(Draw("A", 0, Init.Constant(1.5)), Is.All.EqualTo(1.5f));

    // The generator lorta-1 is a file format: adapters state a seed instead of the numbers.
    [Test]
    public void Numbers_of_a_seed_and_a_name_are_these_for_ever()
    {
        float[] normal = [0.507675588f, -1.40915811f, 1.99094856f, -0.475346774f, 0.357083201f, 0.0194179155f, -0.595084488f, -0.235178903f];
        float[] uniform = [-0.37787655f, 0.483576536f, 0.209734857f, -0.0732605457f, 0.428056061f, 0.417228997f, 0.16247803f, 0.197735131f];

        Assert.That(new Factor("layers.0.q.A", [2, 4], Init.Normal(1)).Draw(42).ToFloats(), Is.EqualTo(normal));
        Assert.That(new Factor("layers.0.q.A", [8], Init.Uniform(0.5)).Draw(42).ToFloats(), Is.EqualTo(uniform));
    }

    [Test]
    public void First_values_may_be_the_norms_of_a_weight()
    {
        var site = new AdapterSite(0, "q") { In = 2, Out = 3, Heads = null };

        var values = new Factor("m", [3], Init.ColumnNorms(site)).Draw(0, _ => OnnxTensor.Of<float>([2, 3], [3, 0, 1, 4, 2, 0]));

        Assert.That(values.ToFloats(), Is.EqualTo(new float[] { 5, 2, 1 }));
    }

    private static float[] Draw(string name, long seed, Init init) => new Factor(name, [4, 3], init).Draw(seed).ToFloats();
}
