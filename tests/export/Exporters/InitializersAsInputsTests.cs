using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Files that list their initializers as inputs too: version 3 of the format asks for it, later ones make them defaults.</summary>
internal sealed class InitializersAsInputsTests
{
    [Test]
    public void Listed_initializers_are_weights([Values("bert", "gpt2", "qwen2")] string architecture, [Values(3, 8)] int irVersion)
    {
        using var folder = new TestFolder();
        var plain = OnnxModel.Load(Architectures.All.Single(candidate => candidate.Name == architecture).Path);
        var listed = Listed(plain, irVersion, folder["listed.onnx"]);
        var canonical = CanonicalModel.Of(listed);

        var inspection = ModelInspection.Of(UnderstoodModel.Of(canonical));

        Assert.That(LayersOf(inspection), Is.EqualTo(LayersOf(Inspected(plain))));
        Assert.That(inspection.Inputs.Select(input => input.Name), Is.EqualTo(plain.Graph.Inputs.Select(input => input.Name)));
    }

    [Test]
    public void An_adapter_folds_into_a_listed_initializer_and_the_list_stays([Values("bert", "qwen2")] string architecture, [Values(3, 8)] int irVersion, [Values] bool keepsBase)
    {
        using var folder = new TestFolder();
        var plain = OnnxModel.Load(Architectures.All.Single(candidate => candidate.Name == architecture).Path);
        var listed = Listed(plain, irVersion, folder["listed.onnx"]);
        var adapter = RandomAdapter.For(plain);

        RandomAdapter.Evaluator.Fold(listed, adapter, new ExportOptions { KeepBase = keepsBase }).Save(folder["exported.onnx"]);

        var (exported, adapted) = (OnnxModel.Load(folder["exported.onnx"]), AdaptedModels.Switchable(UnderstoodModel.Of(plain), adapter, allowOtherBase: false, LortaCatalog.Default).Model);
        Assert.That(RandomAdapter.Evaluator.Compare(adapted, exported, new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
        Assert.That(exported.Graph.Inputs.Select(input => input.Name).Take(listed.Graph.Inputs.Count), Is.EqualTo(listed.Graph.Inputs.Select(input => input.Name)));
        if (irVersion == 3) Assert.That(exported.Graph.Initializers.Where(value => !value.IsInput), Is.Empty, "initializers that are not listed");
    }

    private static string LayersOf(ModelInspection inspection) => inspection.ToJson()["layers"]!.ToJsonString();

    private static ModelInspection Inspected(OnnxModel model)
    {
        var canonical = CanonicalModel.Of(model);
        return ModelInspection.Of(UnderstoodModel.Of(canonical));
    }

    private static OnnxModel Listed(OnnxModel plain, int irVersion, string path)
    {
        var model = plain.Clone();
        model.IrVersion = irVersion;
        foreach (var value in model.Graph.Initializers.ToList()) model.Graph.MakeInput(value);
        model.Save(path);
        return OnnxModel.Load(path);
    }
}
