using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Weights;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>A family that changes W and b, in files that keep biases in different places.</summary>
internal sealed class FoldedBiasTests
{
    private static readonly LortaCatalog Catalog = LortaCatalog.Default.With(Gain.Entry);
    private static readonly VerifyOptions Quick = new() { Length = 12 };

    // Add; Gemm; Attention and SkipLayerNormalization; MultiHeadAttention; QAttention and int32 codes; packed q k v with and without parts of their own; none.
    private static IEnumerable<string> Files =>
    [
        "models/roberta-mini/seqcls.ts-eager.onnx", "models/roberta-mini/seqcls.dynamo18.onnx", "models/roberta-mini/seqcls.optimum.onnx",
        "models/roberta-mini/seqcls.ort-fused.onnx", "models/roberta-mini/extra/bert-tiny.ort-fused.onnx", "models/roberta-mini/seqcls.mha-fused.onnx",
        "models/esm-mini/mlm.ts-eager.onnx", "models/llama-mini/genai-qkv.onnx", "models/llama-mini/ts-sdpa.onnx",
        "gpt2", "bloom", "gpt-neox", "qwen2", "opt", "phi", "falcon", "bart", "torch-multihead",
    ];

    [TestCaseSource(nameof(Files))]
    public void Folded_model_computes_what_the_adapted_one_computes(string file)
    {
        var (deployed, adapter) = Prepared(file);

        var folded = RandomAdapter.EvaluatorOf(Catalog).Fold(deployed, adapter);

        folded.Round();
        Assert.That(Difference(Adapted(deployed, adapter), folded.Model), Is.LessThanOrEqualTo(1e-5));
        Assert.That(Difference(deployed, folded.Model), Is.GreaterThan(1e-4), "the adapter must change something");
    }

    [TestCaseSource(nameof(Files))]
    public void Side_branches_see_y_after_the_bias(string file)
    {
        var (deployed, adapter) = Prepared(file);

        var kept = RandomAdapter.EvaluatorOf(Catalog).Fold(deployed, adapter, new ExportOptions { KeepBase = true });

        Assert.That(Difference(Adapted(deployed, adapter), kept.Model), Is.LessThanOrEqualTo(1e-5));
    }

    // BiasGelu holds the bias of up, SkipLayerNormalization that of down.
    [TestCase("models/roberta-mini/seqcls.ort-fused.onnx")]
    [TestCase("models/roberta-mini/seqcls.mha-fused.onnx")]
    public void Biases_of_an_MLP_are_folded_inside_of_fused_operators(string file)
    {
        var deployed = OnnxModel.Load(Fixtures.Path(file));
        var adapter = RandomAdapter.For(deployed, new AdapterOptions { Method = "gain", Targets = ["up", "down"] }, Catalog);

        var folded = RandomAdapter.EvaluatorOf(Catalog).Fold(deployed, adapter).Model;

        Assert.That(folded.Graph.Nodes.Count(node => node.Op == OrtOps.BiasGelu), Is.EqualTo(4));
        Assert.That(Difference(Adapted(deployed, adapter), folded), Is.LessThanOrEqualTo(1e-5));
        Assert.That(Difference(deployed, folded), Is.GreaterThan(1e-4), "the adapter must change something");
    }

    // The scale of the codes follows from that of the weight, which changes too: also where the bias itself stays.
    [TestCase("gain")]
    [TestCase("lora")]
    public void Codes_of_a_bias_have_the_scale_of_the_folded_weight(string method)
    {
        var deployed = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "opt").Path);
        StoreAsIntegers(deployed, UnderstoodModel.Of(deployed).Map.Layers[0].Q!);
        var old = UnderstoodModel.Of(deployed).Map.Layers[0].Q!;
        Assert.That(old.Stored.Op, Is.EqualTo("QGemm"));
        var adapter = RandomAdapter.For(deployed, new AdapterOptions { Method = method, Rank = 2, Alpha = 8, Targets = ["q"] }, Catalog);

        var folded = RandomAdapter.EvaluatorOf(Catalog).Fold(deployed, adapter);

        folded.Round();
        var gain = method == "gain" ? adapter.Tensors["layers.0.q.g"].ToFloats() : new float[old.Out];
        var expected = old.Bias!.Constant!.ToFloats().Zip(gain, (b, g) => b * (1 + g));
        var now = UnderstoodModel.Of(folded.Model).Map.Layers[0].Q!;
        Assert.That(now.Bias!.Constant!.ToFloats(), Is.EqualTo(expected).Within(1e-3));
        Assert.That(ScaleOf(folded.Model, now), Is.Not.EqualTo(ScaleOf(deployed, old)), "the weight has another scale");
    }

    [Test]
    public void Bias_in_integers_cannot_be_scaled_beside_the_base()
    {
        var deployed = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "opt").Path);
        StoreAsIntegers(deployed, UnderstoodModel.Of(deployed).Map.Layers[0].Q!);
        var adapter = RandomAdapter.For(deployed, new AdapterOptions { Method = "dora", Rank = 2, Targets = ["q"] });

        var failure = Assert.Throws<LortaException>(() => RandomAdapter.Evaluator.Fold(deployed, adapter, new ExportOptions { KeepBase = true }))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT316", "layers.0.q: no side branch can be added at com.microsoft::QGemm 'QGemm' (the adapter scales the layer's bias, which is stored in integers).")));
    }

    [TestCase("roberta-mini/seqcls.ort-fused.onnx")]
    [TestCase("roberta-mini/seqcls.mha-fused.onnx")]
    public void Bias_that_is_pulled_out_of_a_fused_operator_changes_no_result(string file)
    {
        var deployed = OnnxModel.Load(Fixtures.Path("models", file));
        var linears = UnderstoodModel.Of(deployed).Map.Layers.SelectMany(layer => layer.Sites).ToList();
        var model = deployed.Clone();
        ShapeInference.Infer(model.Graph);

        var ports = new BranchPoints(model, deployed, new Tape(model.Graph, onnxOnly: true), pullBiases: true).Of(linears);

        model.Graph.RemoveUnused();
        model.Graph.Sort();
        Assert.That(Difference(deployed, model), Is.LessThanOrEqualTo(2e-6));
        Assert.That(model.Graph.Nodes.Count(node => node.Op == OrtOps.BiasGelu), Is.Zero);
        Assert.That(ports.Select(port => port.BiasUse), Has.None.Null);
    }

    // One vector for two layers; codes of int32; input 5 of MatMulNBits; float16 behind a Cast.
    [TestCase("shared")]
    [TestCase("codes")]
    [TestCase("blocks")]
    [TestCase("cast")]
    public void Bias_is_written_where_and_how_the_file_keeps_it(string form)
    {
        var deployed = OnnxModel.Load(form == "blocks" ? Fixtures.Path("models", "llama-mini", "genai-int4.onnx") : Architectures.All.Single(architecture => architecture.Name == "opt").Path);
        var before = UnderstoodModel.Of(deployed).Map.Layers[0];
        if (form == "blocks") AddBias(deployed, before.Q!);
        else Store(deployed, before, form);
        var adapter = RandomAdapter.For(deployed, "gain", catalog: Catalog);

        var folded = RandomAdapter.EvaluatorOf(Catalog).Fold(deployed, adapter);

        folded.Round();
        var (old, now) = (UnderstoodModel.Of(deployed).Map.Layers[0], UnderstoodModel.Of(folded.Model).Map.Layers[0]);
        foreach (var matrix in form == "shared" ? new[] { "q", "k" } : ["q"])
        {
            var gain = adapter.Tensors[$"layers.0.{matrix}.g"].ToFloats();
            var expected = old[matrix]!.Bias!.Constant!.ToFloats().Zip(gain, (b, g) => b * (1 + g)).ToArray();   // of a packed vector, the first part
            Assert.That(now[matrix]!.Bias!.Constant!.ToFloats()[..expected.Length], Is.EqualTo(expected).Within(form == "cast" ? 1e-3 : 1e-5), matrix);
            Assert.That(now[matrix]!.Stored.BiasNode, Is.EqualTo(old[matrix]!.Stored.BiasNode));
        }
        Assert.That(TypeOf(folded.Model, now.Q!), Is.EqualTo(TypeOf(deployed, old.Q!)));
    }

    [Test]
    public void Layer_without_bias_gets_an_addition_where_the_family_makes_one()
    {
        var deployed = OnnxModel.Load(Fixtures.Path("models/llama-mini/ts-sdpa.onnx"));
        var catalog = LortaCatalog.Default.With(new AdapterFamilyEntry("shift", [], _ => new Shift()));
        var adapter = RandomAdapter.For(deployed, "shift", catalog: catalog);

        var folded = RandomAdapter.EvaluatorOf(catalog).Fold(deployed, adapter);

        Assert.That(Difference(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, catalog).Model, folded.Model), Is.LessThanOrEqualTo(1e-5));
        Assert.That(Difference(deployed, folded.Model), Is.GreaterThan(1e-4), "the adapter must change something");
    }

    private static ElementType TypeOf(OnnxModel model, Projection linear) => model.Graph.Find(linear.Stored.Bias!)!.Constant!.Type;

    private static void Store(OnnxModel model, AttentionLayer layer, string form)
    {
        var (graph, tape) = (model.Graph, new Tape(model.Graph, onnxOnly: true));
        var bias = graph.Find(layer.Q!.Stored.Bias!)!;
        var numbers = bias.Constant!.ToFloats().Select((_, i) => (i - 8) / 16f).ToArray();
        var value = form switch
        {
            "codes" => tape.Op("DequantizeLinear", [tape.Constant(OnnxTensor.Vector<int>([.. numbers.Select(number => (int)(number * 1e6f))]), "codes"), tape.Constant(OnnxTensor.Scalar(1e-6f), "scale")]).Value,
            "cast" => tape.Constant(OnnxTensor.FromBytes(ElementType.Float16, [numbers.Length], WeightView.Round(numbers, ElementType.Float16)), "half").Cast(ElementType.Float).Value,
            _ => graph.AddConstant("both", OnnxTensor.Vector<float>(numbers)),
        };
        graph.ReplaceUses(bias, value);
        if (form == "shared") graph.ReplaceUses(graph.Find(layer.K!.Stored.Bias!)!, value);
        graph.RemoveUnused();
        graph.Sort();
    }

    private static float ScaleOf(OnnxModel model, Projection linear) => model.Graph.Find(linear.Stored.Codes!.Scales)!.Constant!.ToFloats()[0];

    // x·W + b as QGemm of rows, as ONNX Runtime's optimiser writes a Gemm between QuantizeLinear and DequantizeLinear.
    private static void StoreAsIntegers(OnnxModel model, Projection linear)
    {
        const float ScaleOfX = 1f / 32;
        ShapeInference.Infer(model.Graph);
        var (graph, tape) = (model.Graph, new Tape(model.Graph));
        var y = graph.Find(linear.Stored.BiasOutput!)!;
        var weight = LinearPort.NumbersOf(model, linear).ToFloats();
        var scale = weight.Max(Math.Abs) / 127;
        var (readers, x, zero) = (y.Uses.ToHashSet(), tape[graph.Find(linear.Stored.Output)!.Producer!.Input(0)!], tape.Constant(OnnxTensor.Scalar((byte)128)));
        var bias = graph.Find(linear.Stored.Bias!)!.Constant!.ToFloats().Select((_, i) => (i - 8) / 16f).ToArray();
        Expr a = tape.Constant(OnnxTensor.Scalar(ScaleOfX)), b = tape.Constant(OnnxTensor.Scalar(scale), "weight_scale");
        var product = tape.Op(OrtOps.QGemm,
        [
            tape.Op("QuantizeLinear", [x.Rows(), a, zero]), a, zero,
            tape.Constant(OnnxTensor.Of<sbyte>([linear.In, linear.Out], [.. weight.Select(value => (sbyte)Math.Round(value / scale))]), "weight_codes"), b, tape.Constant(OnnxTensor.Scalar((sbyte)0)),
            tape.Constant(OnnxTensor.Vector<int>([.. bias.Select(value => (int)Math.Round(value / (ScaleOfX * scale)))]), "bias_codes"),
        ]);
        graph.Splice(y, readers, product.ReshapeLike(tape[y]).Value);
        graph.RemoveUnused();
        graph.Sort();
    }

    private static void AddBias(OnnxModel model, Projection linear)
    {
        var product = model.Graph.Find(linear.Stored.Output)!.Producer!;
        product.SetInput(5, model.Graph.AddConstant("bias", OnnxTensor.Vector<float>([.. Enumerable.Range(0, (int)product.Int("N", 0)).Select(i => i / 100f)])));
    }

    private static (OnnxModel Deployed, Adapter Adapter) Prepared(string file)
    {
        var deployed = OnnxModel.Load(file.StartsWith("models/", StringComparison.Ordinal) ? Fixtures.Path(file) : Architectures.All.Single(architecture => architecture.Name == file).Path);
        return (deployed, RandomAdapter.For(deployed, "gain", catalog: Catalog));
    }

    private static OnnxModel Adapted(OnnxModel deployed, Adapter adapter) =>
        AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, Catalog).Model;

    private static double Difference(OnnxModel a, OnnxModel b) => RandomAdapter.Evaluator.Compare(a, b, Quick).MaxRelDiff;

    /// <summary>y + g.</summary>
    private sealed class Shift : IAdapterFamily
    {
        public string Method => "shift";

        public IReadOnlyList<Factor> Factors(AdapterSites sites) => [.. sites.All.Select(site => new Factor($"{site.Key}.g", [site.Out], Init.Zero))];

        public Expr Emit(AdapterPoint at, FactorSet f) => at.Y + (f.Switch * f[at.Site, "g"]);

        public (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet f) =>
            (weight, bias is { } b ? b + (f.Switch * f[site, "g"]) : f.Switch * f[site, "g"]);
    }
}
