using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>A family with options of its own on a small architecture.</summary>
/// <param name="Name">For the test's name.</param>
/// <param name="Plan">The adapter.</param>
public sealed record FamilyCase(string Name, AdapterPlan Plan)
{
    private static readonly (string Name, Architecture Sizes)[] Architectures =
    [
        ("plain heads", new(Hidden: 12, Heads: 3, KvHeads: 3, HeadWidth: 4, Layers: 3, Ffn: 10)),
        ("grouped queries", new(Hidden: 8, Heads: 4, KvHeads: 2, HeadWidth: 2, Layers: 2, Ffn: 6)),
        ("heads wider than the model", new(Hidden: 8, Heads: 4, KvHeads: 1, HeadWidth: 4, Layers: 2, Ffn: 6)),
    ];

    internal static OrtEngine Evaluator { get; } = new(new OrtEngineOptions { Threads = 1 });

    /// <summary>Every family that adapts linear layers, and the forms of one that its options make another, on every architecture.</summary>
    public static IEnumerable<FamilyCase> All =>
        from form in (IEnumerable<(string Method, string? Option)>)[.. AdapterFamilies.All.Select(family => (family.Method, (string?)null)), ("nola", "a0")]
        where !LortaCatalog.Default.TargetsOf(form.Method)!.AreParameters   // ParameterFamiliesTests
        from architecture in Architectures
        let options = new AdapterOptions { Method = form.Method, Rank = 3, Alpha = 2, Targets = TargetsOf(form.Method) }
        let given = form.Option is null ? options : options with { Options = new Dictionary<string, string> { [form.Option] = "true" } }
        select new FamilyCase($"{form.Method}{(form.Option is null ? string.Empty : $" with {form.Option}")}, {architecture.Name}", AdapterPlan.Of(architecture.Sizes, given));

    /// <summary>Factors none of which is zero.</summary>
    internal IReadOnlyDictionary<string, OnnxTensor> Factors => Plan.Factors.ToDictionary(factor => factor.Name, factor => RandomTensor.Normal(factor.Name, [.. factor.Dims]), StringComparer.Ordinal);

    internal IReadOnlyDictionary<string, OnnxTensor> Drawn => Plan.Factors.ToDictionary(factor => factor.Name, factor => factor.Draw(0, WeightOf), StringComparer.Ordinal);

    /// <summary>W of a layer.</summary>
    internal static OnnxTensor WeightOf(AdapterSite site) => RandomTensor.Normal($"w/{site.Address}", site.In, site.Out);

    /// <summary>b of a layer.</summary>
    internal static OnnxTensor BiasOf(AdapterSite site) => RandomTensor.Normal($"b/{site.Address}", site.Out);

    /// <summary>A linear layer with random weights and a bias, x·W + b, as a family meets it.</summary>
    internal static AdapterPoint Layer(Tape tape, AdapterSite site, Expr x, DropoutInputs? dropout = null)
    {
        var weight = WeightOf(site);
        var product = x.MatMul(tape.Constant(weight));
        var y = product + tape.Constant(BiasOf(site));
        return new AdapterPoint(tape, site, new LinearPort(x.Value, y.Value, y.Value) { BiasUse = new Use(y.Value.Producer!, 1), Weight = () => weight }, dropout);
    }

    /// <summary>x·W in double precision.</summary>
    internal static double[] Product(OnnxTensor x, OnnxTensor w)
    {
        var (rows, inner, columns) = ((int)x.Dims[0], (int)w.Dims[0], (int)w.Dims[1]);
        var (a, b) = (x.ToFloats(), w.ToFloats());
        var product = new double[rows * columns];
        for (var i = 0; i < rows; i++)
            for (var k = 0; k < inner; k++)
                for (var j = 0; j < columns; j++) product[(i * columns) + j] += (double)a[(i * inner) + k] * b[(k * columns) + j];
        return product;
    }

    public override string ToString() => Name;

    // Of the families that take any matrix, those of attention in an order of their own.
    private static string[]? TargetsOf(string method) =>
        LortaCatalog.Default.TargetsOf(method) == FamilyTargets.LinearLayers ? ["v", "q", "p", "k"] : null;
}
