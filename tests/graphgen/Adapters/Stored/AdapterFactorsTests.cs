using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.GraphGen.Tests.Adapters.Stored.LortaAdapter;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

/// <summary>The factors that an adapter's tensors are for a plan.</summary>
internal sealed class AdapterFactorsTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Tensors_that_the_configuration_does_not_name_are_refused()
    {
        var failure = Assert.Throws<LortaException>(() => With("layers.9.q.A", OnnxTensor.Vector<float>([1])).CheckNames(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'layers.9.q.A'", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
        Assert.That(() => With("param.classifier.bias", OnnxTensor.Vector<float>([1])).CheckNames(Given.Plan), Throws.Nothing);
    }

    [Test]
    public void Missing_factor_is_named()
    {
        var adapter = new Adapter(_folder["a"], Config(), Given.Factors.Where(pair => pair.Key != "C_L").ToDictionary());

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'C_L'", StringComparison.Ordinal)), Is.EqualTo(("LRT309", true)));
    }

    [Test]
    public void Factor_of_another_shape_is_named_with_both_shapes()
    {
        var adapter = new Adapter(_folder["a"], Config(), Given.Factors.ToDictionary(pair => pair.Key, pair => pair.Key == "B" ? OnnxTensor.Of<float>([2], new float[2]) : pair.Value));

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That(failure.Code, Is.EqualTo("LRT308"));
        Assert.That(failure.Message, Does.Contain("'B'").And.Contain("[4, 3]").And.Contain("[2]"));
    }

    [Test]
    public void Factor_that_holds_no_floats_is_refused()
    {
        var adapter = With("C_M", OnnxTensor.Of<int>([4, 3], new int[12]));

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'C_M' holds int32, not floats", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    [TestCase(float.NaN)]
    [TestCase(float.NegativeInfinity)]
    public void Factor_that_holds_a_number_that_is_not_finite_is_refused(float number)
    {
        var adapter = With("C_M", OnnxTensor.Of<float>([4, 3], [.. new float[11], number]));

        var failure = Assert.Throws<LortaException>(() => adapter.FactorsOf(Given.Plan))!;

        Assert.That((failure.Code, failure.Message.Contains("'C_M' holds numbers that are not finite", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    [Test]
    public void Half_precision_factors_are_widened()
    {
        var adapter = With("C_M", OnnxTensor.FromBytes(ElementType.Float16, [4, 3], new byte[24]));

        Assert.That(adapter.FactorsOf(Given.Plan)["C_M"].Type, Is.EqualTo(ElementType.Float));
    }
}
