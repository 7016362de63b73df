using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Verifying;

internal sealed class VerifyTests
{
    [Test]
    public void Padding_on_the_left_is_refused_where_attention_knows_lengths_only()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/genai"));
        var batch = Exports.Batch("llama-mini/genai", model).ToDictionary(StringComparer.Ordinal);
        var mask = batch["attention_mask"];
        batch["attention_mask"] = OnnxTensor.Of<long>([.. mask.Dims], [.. Enumerable.Range(0, (int)mask.Count).Select(i => i % mask.Dims[1] < 2 ? 0L : 1)]);

        Assert.That(
            () => Engine.Compare(model, model, new VerifyOptions { Batches = [batch] }),
            Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT207").And.Message.Contains("GroupQueryAttention"));
    }

    private static readonly IGraphEvaluator Engine = RandomAdapter.Evaluator;

    [TestCase("llama-mini/ts-sdpa", "llama-mini/ts-eager")]
    [TestCase("llama-mini/ts-sdpa", "llama-mini/optimum-past")]
    [TestCase("roberta-mini/seqcls.ts-eager", "roberta-mini/seqcls.dynamo18")]
    public void Exports_of_one_model_agree(string a, string b)
    {
        var result = Engine.Compare(OnnxModel.Load(Exports.Path(a)), OnnxModel.Load(Exports.Path(b)), new VerifyOptions { Length = 12 });

        Assert.That((result.Ok, result.Tolerance), Is.EqualTo((true, 1e-5)));
    }

    [Test]
    public void A_file_that_takes_the_factors_as_inputs_is_given_those_of_the_adapter()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var adapter = RandomAdapter.For(model);
        var injected = DeployedInjection.WithInputs(model, adapter);
        injected.RequireFactors();
        var batch = Exports.Batch("llama-mini/ts-sdpa", model);

        var random = Engine.Compare(model, injected.Model, new VerifyOptions { Adapter = adapter, Length = 8 });
        var given = Engine.Compare(model, injected.Model, new VerifyOptions { Adapter = adapter, Batches = [batch] });

        Assert.That((random.Ok, given.Ok), Is.EqualTo((true, true)));
        Assert.That(
            () => Engine.Compare(model, injected.Model, new VerifyOptions { Length = 8 }),
            Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT704").And.Message.Contains("takes the factors of an adapter as inputs ('factor.A')"));
    }

    [Test]
    public void Model_equals_itself_to_the_bit()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        Assert.That(Engine.Compare(model, model, new VerifyOptions { Length = 8 }).MaxAbsDiff, Is.Zero);
    }

    [TestCase(1, 32)]
    [TestCase(3, 20)]
    [TestCase(8, null)]
    public void An_export_of_a_fixed_size_agrees_with_the_dynamic_one(int? rows, int? length)
    {
        var dynamic = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var fixedSize = FixedModels.WithSizes(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")), rows, length);

        var (result, reverse) = (Engine.Compare(dynamic, fixedSize), Engine.Compare(fixedSize, dynamic));

        Assert.That((result.Ok, reverse.Ok), Is.EqualTo((true, true)));
    }

    [Test]
    public void Given_rows_are_cut_and_padded_to_the_fixed_size()
    {
        var file = Fixtures.Path("models", "llama-mini", "reference", "batch.safetensors");
        var dynamic = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var fixedSize = FixedModels.WithSizes(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), rows: 1, length: 64);

        Assert.That(Engine.Compare(dynamic, fixedSize, new VerifyOptions { Inputs = file }).Ok, Is.True);
    }

    [Test]
    public void Rounded_weights_pass_within_their_own_tolerance_only()
    {
        var (a, b) = (OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), OnnxModel.Load(Exports.Path("llama-mini/fp16")));

        var result = Engine.Compare(a, b, new VerifyOptions { Length = 8 });
        var exact = Engine.Compare(a, b, new VerifyOptions { Length = 8, Tolerance = 1e-5 });

        Assert.That((result.Ok, result.Tolerance, exact.Ok), Is.EqualTo((true, 5e-3, false)));
        Assert.That(exact.MaxRelDiff, Is.EqualTo(result.MaxRelDiff).And.GreaterThan(exact.Tolerance));
    }

    [Test]
    public void Other_weights_do_not_pass()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var result = Engine.Compare(model, Engine.Fold(model, RandomAdapter.For(model)).Model, new VerifyOptions { Length = 8 });

        Assert.That(result.Ok, Is.False);
        Assert.That(result.MaxRelDiff, Is.GreaterThan(result.Tolerance));
    }

    [Test]
    public void Models_without_a_common_output_are_refused()
    {
        var (a, b) = (OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")), OnnxModel.Load(Exports.Path("roberta-mini/mlm.ts-sdpa")));

        Assert.That(() => Engine.Compare(a, b, new VerifyOptions { Length = 8 }), Throws.TypeOf<LortaException>());
    }

    [Test]
    public void Given_inputs_are_used()
    {
        var file = Fixtures.Path("models", "llama-mini", "reference", "batch.safetensors");
        var (a, b) = (OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), OnnxModel.Load(Exports.Path("llama-mini/fp16")));

        var (given, drawn) = (Engine.Compare(a, b, new VerifyOptions { Inputs = file }), Engine.Compare(a, b));

        Assert.That(given.MaxAbsDiff, Is.Not.EqualTo(drawn.MaxAbsDiff));
    }

    [Test]
    public void Missing_input_is_named()
    {
        using var folder = new TestFolder();
        Safetensors.Save(folder["inputs.safetensors"], new Dictionary<string, OnnxTensor> { ["input_ids"] = OnnxTensor.Of<long>([1, 2], [5, 6]) });
        var model = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var failure = Assert.Throws<LortaException>(() => Engine.Compare(model, model, new VerifyOptions { Inputs = folder["inputs.safetensors"] }))!;

        Assert.That(failure.Message, Does.Contain("attention_mask"));
    }
}
