using LoRTA.Onnx.GraphGen.Adapters.Planning;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

internal sealed class NolaTests
{
    [TestCase("false", "A [5, 8, 3], B [5, 8, 3], layers.0.v.a [5], layers.0.v.b [5]", "layers.0.v.a, layers.0.v.b")]
    [TestCase("true", "A [5, 8, 3], B [5, 8, 3], A0 [8, 3], layers.0.v.a [5], layers.0.v.b [5]", "layers.0.v.a, layers.0.v.b")]
    public void Coefficients_are_trained_beside_shared_bases(string offset, string factors, string trained)
    {
        var plan = Plan(offset);

        Assert.That(string.Join(", ", plan.Factors.Select(factor => $"{factor.Name} [{string.Join(", ", factor.Dims)}]")), Is.EqualTo(factors));
        Assert.That(string.Join(", ", plan.Factors.Where(factor => factor.IsTrained).Select(factor => factor.Name)), Is.EqualTo(trained));
    }

    // Both at zero would never move; beside A0 it is b's gradient that does not need a.
    [TestCase("false", false)]
    [TestCase("true", true)]
    public void First_coefficients_of_A_are_zero_only_beside_A0(string offset, bool areZero) =>
        Assert.That(Plan(offset).Factors.Single(factor => factor.Name == "layers.0.v.a").Draw(0).ToFloats().All(value => value == 0), Is.EqualTo(areZero));

    private static AdapterPlan Plan(string offset) => AdapterPlan.Of(
        new Architecture(Hidden: 8, Heads: 4, KvHeads: 4, HeadWidth: 2, Layers: 1),
        new AdapterOptions { Method = "nola", Rank = 3, Targets = ["v"], Options = new Dictionary<string, string> { ["bases"] = "5", ["a0"] = offset } });
}
