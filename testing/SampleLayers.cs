using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Testing;

/// <summary>An adapter on linear layers with random weights and inputs, x·W + b.</summary>
/// <param name="plan">The adapter.</param>
/// <param name="catalog">The family and the gradient rules.</param>
internal sealed class SampleLayers(AdapterPlan plan, LortaCatalog catalog) : IDisposable
{
    private const int Rows = 5;
    private readonly OrtEngine _engine = new(new() { Threads = 1, Catalog = catalog });

    public AdapterPlan Plan => plan;

    /// <summary>Its layers.</summary>
    public IReadOnlyList<AdapterSite> Sites => plan.Sites.All;

    /// <summary>Factors as training begins with them.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Fresh => Factors(factor => factor.Draw(seed: 0, WeightOf));

    /// <summary>Factors none of which is zero.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Trained => Factors(
        factor => (factor with { Init = Init.Normal(factor.GradcheckDeviation) }).Draw(seed: 0));

    /// <summary>Runs folds.</summary>
    public FoldGraph Folded(IReadOnlyDictionary<string, OnnxTensor> factors) => new(plan, factors, _engine);

    /// <summary>x of a layer, [rows, in].</summary>
    public static OnnxTensor InputOf(AdapterSite site) => Normal($"x/{site.Address}", [Rows, site.In]);

    /// <summary>W of a layer, [in, out].</summary>
    public static OnnxTensor WeightOf(AdapterSite site) => Normal($"w/{site.Address}", [site.In, site.Out]);

    /// <summary>b of a layer, [out].</summary>
    public static OnnxTensor BiasOf(AdapterSite site) => Normal($"b/{site.Address}", [site.Out]);

    /// <summary>What the gradient of a layer's output is taken with, [rows, out].</summary>
    public static OnnxTensor SlopeOf(AdapterSite site) => Normal($"g/{site.Address}", [Rows, site.Out]);

    /// <summary>Random numbers of the standard normal distribution: a function of their name.</summary>
    public static OnnxTensor Normal(string name, IReadOnlyList<long> dims) => new Factor(name, dims, Init.Normal(1)).Draw(seed: 0);

    /// <summary>A layer as a family meets it.</summary>
    public static AdapterPoint Layer(Tape tape, AdapterSite site, Expr x, DropoutInputs? dropout = null)
    {
        var weight = WeightOf(site);
        var y = x.MatMul(tape.Constant(weight)) + tape.Constant(BiasOf(site));
        var port = new LinearPort(x.Value, y.Value, y.Value) { BiasUse = new Use(y.Value.Producer!, 1), Weight = () => weight };
        return new AdapterPoint(tape, site, port, dropout);
    }

    /// <summary>x·W + addend in double precision.</summary>
    /// <param name="x">[n, in].</param>
    /// <param name="w">[in, out].</param>
    /// <param name="addend">[out] or [n, out]; null = 0.</param>
    public static double[] Product(OnnxTensor x, OnnxTensor w, OnnxTensor? addend = null)
    {
        var (rows, inner, columns) = ((int)x.Dims[0], (int)w.Dims[0], (int)w.Dims[1]);
        var (a, b, c) = (x.ToFloats(), w.ToFloats(), addend?.ToFloats());
        var product = new double[rows * columns];
        for (var at = 0; at < product.Length; at++)
        {
            var (row, column) = (at / columns, at % columns);
            product[at] = c is null ? 0 : c[at % c.Length];
            for (var k = 0; k < inner; k++) product[at] += (double)a[(row * inner) + k] * b[(k * columns) + column];
        }
        return product;
    }

    /// <summary>y of each layer and the adapted y, [rows, out].</summary>
    /// <param name="factors">The factors.</param>
    /// <param name="scale">Strength of the adapter; null = its own.</param>
    public IReadOnlyList<(OnnxTensor Y, OnnxTensor Adapted)> Run(IReadOnlyDictionary<string, OnnxTensor> factors, float? scale = null)
    {
        var (graph, tape, set) = Begin(factors);
        var outputs = Sites.Select(site => Layer(tape, site, tape.Constant(InputOf(site))))
            .Select(layer => (Y: Named(layer.Y), Adapted: Named(plan.Family.Emit(layer, set))))
            .ToList();
        var inputs = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        if (scale is { } number) inputs[TrainingNames.Scale] = OnnxTensor.Scalar(number);
        var results = Run(graph, inputs);
        return [.. outputs.Select(output => (results[output.Y], results[output.Adapted]))];

        string Named(Expr output)
        {
            var result = tape.Op("Identity", [output]).Value;
            if (!graph.IsOutput(result)) graph.AddOutput(result);   // an adapter that returns y
            return result.Name;
        }
    }

    /// <summary>∂L/∂factor of each trained factor, L = Σ g∘adapted y over all layers.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Gradients(IReadOnlyDictionary<string, OnnxTensor> factors)
    {
        var (graph, loss) = Loss();
        var wanted = TrainedNames.Select(name => graph.Find(FactorInput(name))!).ToList();
        var gradients = GraphGen.Autodiff.Gradients.Of(loss.Tape, loss.Value, wanted, catalog);
        foreach (var gradient in gradients) graph.AddOutput(gradient.Value);
        var results = Run(graph, factors.ToDictionary(factor => FactorInput(factor.Key), factor => factor.Value, StringComparer.Ordinal));
        return TrainedNames.Zip(gradients).ToDictionary(
            pair => pair.First, pair => results[pair.Second.Value.Name], StringComparer.Ordinal);
    }

    /// <summary>How L changes with each trained factor along a direction: (L(f + h·v) − L(f − h·v))/2h, in double precision.</summary>
    /// <param name="factors">f.</param>
    /// <param name="directionOf">v of a factor.</param>
    /// <param name="step">h.</param>
    public IReadOnlyDictionary<string, double> Slopes(
        IReadOnlyDictionary<string, OnnxTensor> factors, Func<string, float[]> directionOf, double step)
    {
        var (graph, loss) = Loss();
        graph.AddOutput(loss.Value);
        var model = OnnxModel.ForRuntime(graph);
        SmoothLoss.Make(model, TrainedNames.ToDictionary(FactorInput, name => factors[name], StringComparer.Ordinal));
        graph.RemoveUnusedInputs();
        graph.Sort();
        using var compiled = _engine.Compile(model);
        return TrainedNames.ToDictionary(name => name, name => (At(name, step) - At(name, -step)) / (2 * step), StringComparer.Ordinal);

        double At(string moved, double distance)
        {
            var inputs = factors.ToDictionary(factor => FactorInput(factor.Key), factor => factor.Value, StringComparer.Ordinal);
            foreach (var name in TrainedNames)
                inputs[FactorInput(name)] = Moved(factors[name], directionOf(name), name == moved ? distance : 0);
            return compiled.Run(inputs).Values.Single().Span<double>()[0];
        }
    }

    /// <summary>The masks that the family asks for where it is trained with dropout.</summary>
    public IEnumerable<string> Masks()
    {
        var (graph, tape, set) = Begin(Fresh);
        foreach (var site in Sites) plan.Family.Emit(Layer(tape, site, tape.Constant(InputOf(site)), new DropoutInputs()), set);
        return graph.Inputs.Select(input => input.Name).Where(name => TensorName.Parse(name).Kind == TensorKind.Dropout);
    }

    public void Dispose() => _engine.Dispose();

    private Dictionary<string, OnnxTensor> Factors(Func<Factor, OnnxTensor> valueOf) =>
        plan.Factors.ToDictionary(factor => factor.Name, valueOf, StringComparer.Ordinal);

    private List<string> TrainedNames => [.. plan.Factors.Where(factor => factor.IsTrained).Select(factor => factor.Name)];

    private static string FactorInput(string name) => new TensorName(TensorKind.Factor, name).ToString();

    // f + h·v as float64.
    private static OnnxTensor Moved(OnnxTensor factor, float[] direction, double distance)
    {
        var moved = factor.ToFloats().Zip(direction, (value, v) => value + (distance * v));
        return OnnxTensor.Of<double>([.. factor.Dims], [.. moved]);
    }

    private (Graph Graph, Expr Loss) Loss()
    {
        var (graph, tape, set) = Begin(factors: null);
        var products = Sites.Select(site => (Site: site, Layer: Layer(tape, site, tape.Constant(InputOf(site)))))
            .Select(item => (plan.Family.Emit(item.Layer, set) * tape.Constant(SlopeOf(item.Site))).Total());
        return (graph, products.Aggregate((a, b) => a + b));
    }

    private (Graph Graph, Tape Tape, FactorSet Factors) Begin(IReadOnlyDictionary<string, OnnxTensor>? factors)
    {
        var tape = new Tape(new Graph(plan.Options.Method));
        return (tape.Graph, tape, AdapterInjection.AddInputs(tape, plan, factors));
    }

    private IReadOnlyDictionary<string, OnnxTensor> Run(Graph graph, Dictionary<string, OnnxTensor> inputs)
    {
        graph.RemoveUnused();
        graph.RemoveUnusedInputs();
        graph.Sort();
        return ((IGraphEvaluator)_engine).Run(
            OnnxModel.ForRuntime(graph), inputs.Where(input => graph.Find(input.Key) is not null).ToDictionary(StringComparer.Ordinal));
    }
}
