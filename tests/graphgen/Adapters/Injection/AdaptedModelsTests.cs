using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Injection;

internal sealed class AdaptedModelsTests
{
    private const string Bias = "classifier.out_proj.bias";

    private static readonly OnnxTensor Narrow = OnnxTensor.Of<float>([1], [1]);

    [Test]
    public void Parameter_of_another_shape_is_named_with_both_shapes()
    {
        var model = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var adapter = Adapter(model);

        var failure = Assert.Throws<LortaException>(() => AdaptedModels.Switchable(UnderstoodModel.Of(model), adapter with { Tensors = adapter.Tensors.Append(new("param." + Bias, Narrow)).ToDictionary() }, allowOtherBase: false, LortaCatalog.Default))!;

        Assert.That(failure.Code, Is.EqualTo("LRT308"));
        Assert.That(failure.Message, Does.Contain($"'param.{Bias}' should be [2] but is [1]"));
    }

    [Test]
    public void Given_parameter_of_another_shape_does_not_start_a_training()
    {
        var adapted = AdaptedModel.Of(UnderstoodModel.Of(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"))), new AdapterOptions(), LortaCatalog.Default, new([new TrainablePattern { Match = Bias }]));

        Assert.That(() => adapted.Trained(new Dictionary<string, OnnxTensor> { ["param." + Bias] = Narrow }, 0), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT308"));
    }

    private static Adapter Adapter(OnnxModel model)
    {
        var understood = UnderstoodModel.Of(model);
        var plan = AdapterPlan.Of(understood, new AdapterOptions());
        return new Adapter("adapter", AdapterConfig.Of(plan, BaseModels.Describe(understood, plan)), plan.Factors.ToDictionary(factor => factor.Name, factor => factor.Draw(0)));
    }
}
