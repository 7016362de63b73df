using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

internal sealed class PrefixTests
{
    private static readonly AdapterOptions Options = new() { Method = "prefix", Options = new Dictionary<string, string> { ["length"] = "3" } };

    [TestCase("llama-mini/ts-eager")]
    [TestCase("llama-mini/genai")]
    [TestCase("roberta-mini/seqcls.ort-fused")]
    public void Switched_off_the_model_computes_what_it_did(string export)
    {
        var (without, on, off) = (Logits(export, null), Logits(export, 1), Logits(export, 0));

        var largest = without.Max(Math.Abs);
        Assert.That(off, Is.EqualTo(without).Within(1e-6 * largest));
        Assert.That(on, Is.Not.EqualTo(without).Within(1e-3 * largest));
    }

    [Test]
    public void Strength_in_between_comes_and_goes_without_a_jump()
    {
        var (without, little) = (Logits("llama-mini/ts-eager", null), Logits("llama-mini/ts-eager", 1e-5f));

        Assert.That(little, Is.EqualTo(without).Within(1e-3 * without.Max(Math.Abs)));
    }

    [TestCase("llama-mini/ts-eager", "3")]
    [TestCase("roberta-mini/seqcls.ts-eager", "0")]
    public void Offset_of_positions_is_the_length_where_keys_are_rotated(string export, string expected)
    {
        var plan = AdapterPlan.Of(UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export))), Options);

        Assert.That(plan.Options.Options["positionOffset"], Is.EqualTo(expected));
    }

    [Test]
    public void Keys_without_values_are_refused()
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(new Architecture(8, 4, 4, 2, 2), Options with { Targets = ["k"] }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT319", true)));
        Assert.That(failure.Message, Does.Contain("prefix acts on keys and values together; name k and v, or nothing"));
    }

    // Of the training copy; of the base where no strength is given.
    private static float[] Logits(string export, float? strength)
    {
        var understood = UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export)));
        var batch = Exports.Batch(export, understood.Deployed).ToDictionary(StringComparer.Ordinal);
        var model = understood.Canonical.Model;
        if (strength is { } number)
        {
            var plan = AdapterPlan.Of(understood, Options);
            var factors = plan.Factors.ToDictionary(factor => factor.Name, factor => RandomTensor.Normal(factor.Name, [.. factor.Dims]), StringComparer.Ordinal);
            model = AdaptedModels.Switchable(understood, Adapter.Of(plan, BaseModels.Describe(understood, plan), factors, 0), allowOtherBase: false, LortaCatalog.Default).Model;
            batch[TrainingNames.Scale] = OnnxTensor.Scalar(number);
        }
        var inputs = batch.Where(input => model.Graph.Find(input.Key) is not null).ToDictionary(StringComparer.Ordinal);
        return ((IGraphEvaluator)FamilyCase.Evaluator).Run(model, inputs)["logits"].ToFloats();
    }
}
