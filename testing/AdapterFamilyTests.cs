using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using NUnit.Framework;

namespace LoRTA.Onnx.Testing;

/// <summary>What holds for every adapter family of linear layers, as tests: derive a class with your family, and NUnit finds them.
/// <code>internal sealed class DiagonalTests() : AdapterFamilyTests(Diagonal.Entry);</code></summary>
/// <remarks>Each test runs the family on linear layers with random numbers, of models of several sizes.</remarks>
public class AdapterFamilyTests
{
    private const double Step = 1e-4;        // of central differences in double precision
    private const double Difference = 1e-4;  // of a derivative in single precision from its central difference, of the gradient's length
    private const double Rounding = 2e-5;    // of the largest number
    private readonly AdapterFamilyEntry _family;
    private readonly LortaCatalog _catalog;

    /// <summary>Tests of a family.</summary>
    /// <param name="family">The family.</param>
    /// <param name="catalog">A catalog that holds it, with gradient rules of its operators; null =
    /// <see cref="LortaCatalog.Default"/> with the family.</param>
    public AdapterFamilyTests(AdapterFamilyEntry family, LortaCatalog? catalog = null) =>
        (_family, _catalog) = (family, catalog ?? LortaCatalog.Default.With(family));

    /// <summary>What the adapters are asked to be.</summary>
    protected virtual AdapterOptions Options => new() { Method = _family.Method, Rank = 3, Alpha = 2 };

    /// <summary>At scale 0 every layer computes what it computes without the adapter, to the bit.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Switched_off_it_changes_nothing(Architecture sizes)
    {
        using var given = On(sizes);

        foreach (var (site, (y, adapted)) in given.Sites.Zip(given.Run(given.Trained, scale: 0)))
            Assert.That(adapted.ToFloats(), Is.EqualTo(y.ToFloats()), site.Address);
    }

    /// <summary>With its first values it changes nothing: training starts at the base model.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Fresh_it_changes_nothing(Architecture sizes)
    {
        using var given = On(sizes);

        foreach (var (site, (y, adapted)) in given.Sites.Zip(given.Run(given.Fresh)))
            Assert.That(adapted.ToFloats(), Is.EqualTo(y.ToFloats()), site.Address);
    }

    /// <summary>With its first values some gradient is not zero: training leaves them.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Fresh_it_has_a_gradient(Architecture sizes)
    {
        using var given = On(sizes);

        Assert.That(given.Gradients(given.Fresh).Values.Max(gradient => Largest(gradient.ToFloats())), Is.GreaterThan(1e-3));
    }

    /// <summary>With other values every layer is changed.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Trained_it_changes_every_layer(Architecture sizes)
    {
        using var given = On(sizes);

        foreach (var (site, (y, adapted)) in given.Sites.Zip(given.Run(given.Trained)))
            Assert.That(adapted.ToFloats(), Is.Not.EqualTo(y.ToFloats()).Within(1e-3), site.Address);
    }

    /// <summary>The gradient of each trained factor, along a random direction, is the difference quotient of what the layers
    /// compute.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Its_gradients_are_those_of_central_differences(Architecture sizes)
    {
        using var given = On(sizes);
        var (gradients, slopes) = (given.Gradients(given.Trained), given.Slopes(given.Trained, DirectionOf, Step));

        foreach (var (name, tensor) in gradients)
        {
            var gradient = tensor.ToFloats();
            var derived = gradient.Zip(DirectionOf(name), (slope, v) => (double)slope * v).Sum();
            var length = Math.Sqrt(gradient.Sum(slope => (double)slope * slope));
            Assert.That(derived, Is.EqualTo(slopes[name]).Within(Difference * Math.Max(Math.Abs(slopes[name]), length)), name);
        }

        float[] DirectionOf(string name) => SampleLayers.Normal($"direction/{name}", given.Trained[name].Dims).ToFloats();
    }

    /// <summary>A folded layer, x·W′ + b′, computes what the adapted one computes, unless the family folds nowhere.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Folded_it_computes_the_same(Architecture sizes)
    {
        using var given = On(sizes);
        var (fold, folds) = (given.Folded(given.Trained), FoldGraph.IsPossible(given.Plan));

        foreach (var (site, (_, adapted)) in given.Sites.Zip(given.Run(given.Trained)))
        {
            var folded = fold.Fold(site, SampleLayers.WeightOf(site), SampleLayers.BiasOf(site));

            Assert.That(folded is not null, Is.EqualTo(folds), $"{site.Address}: all layers fold, or none");
            if (folded is not var (weight, bias)) continue;
            AssertSame(adapted, SampleLayers.Product(SampleLayers.InputOf(site), weight, bias!), site.Address);
        }
    }

    /// <summary>Where the change is a sum, y + x·ΔW, the family's Delta is that ΔW, and its pair A·Bᵀ as well; where not, it states
    /// neither.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Where_it_is_a_sum_its_delta_is_what_it_adds(Architecture sizes)
    {
        using var given = On(sizes);
        var (fold, isSum) = (given.Folded(given.Trained), FoldGraph.IsSum(given.Plan));

        foreach (var (site, (y, adapted)) in given.Sites.Zip(given.Run(given.Trained)))
        {
            var delta = fold.Delta(site);
            Assert.That(delta is not null, Is.EqualTo(isSum), $"{site.Address}: the change is a sum in all layers, or in none");
            if (delta is null) continue;
            AssertSame(adapted, SampleLayers.Product(SampleLayers.InputOf(site), delta, y), site.Address);
            if (fold.AsLora(site) is not var (a, b)) continue;
            var bT = TensorAxes.Transposed(b.ToFloats(), (int)b.Dims[0], (int)b.Dims[1]);
            AssertSame(delta, SampleLayers.Product(a, OnnxTensor.Of<float>([b.Dims[1], b.Dims[0]], bT)), site.Address);
        }
    }

    /// <summary>An adapter that was saved and loaded computes the same, to the bit.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Saved_and_loaded_it_computes_the_same(Architecture sizes)
    {
        using var given = On(sizes);
        var folder = Directory.CreateTempSubdirectory("lorta-family-").FullName;
        try
        {
            var sketch = new WeightSketch(new Dictionary<string, IReadOnlyList<float>>(StringComparer.Ordinal));
            var toy = new BaseModel("toy.onnx", sizes, sketch);
            new Adapter(string.Empty, AdapterConfig.Of(given.Plan, toy), given.Trained).Save(Path.Combine(folder, "adapter"));

            var loaded = Adapter.Load(Path.Combine(folder, "adapter"));

            using var again = new SampleLayers(AdapterPlan.Of(sizes, loaded.Config.AdapterOptions, _catalog), _catalog);
            var runs = given.Run(given.Trained).Zip(again.Run(loaded.FactorsOf(again.Plan)));
            foreach (var (site, (before, after)) in given.Sites.Zip(runs))
                Assert.That(after.Adapted.ToFloats(), Is.EqualTo(before.Adapted.ToFloats()), site.Address);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Where the family has dropout it drops elements of something, else it refuses to be asked for it.</summary>
    /// <param name="sizes">Sizes of the model.</param>
    [TestCaseSource(typeof(SampleSizes), nameof(SampleSizes.All))]
    public void Dropout_drops_something_or_is_refused(Architecture sizes)
    {
        using var given = On(sizes);

        if (given.Plan.Family.HasDropout) Assert.That(given.Masks(), Is.Not.Empty);
        else Assert.That(() => AdapterPlan.Of(sizes, Options with { Dropout = 0.1 }, _catalog), Throws.TypeOf<LortaException>());
    }

    private SampleLayers On(Architecture sizes) => new(AdapterPlan.Of(sizes, Options, _catalog), _catalog);

    private static void AssertSame(OnnxTensor actual, double[] expected, string address)
    {
        var tolerance = Rounding * Math.Max(1, expected.Max(Math.Abs));
        Assert.That(Array.ConvertAll(actual.ToFloats(), value => (double)value), Is.EqualTo(expected).Within(tolerance), address);
    }

    private static float Largest(float[] values) => values.Max(Math.Abs);
}
