using LoRTA.Onnx.Export.Tests.Exporters;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>Families beside a base whose opset is older than that of the expressions which they are written in.</summary>
[Category("Slow"), Category(Fixtures.NotNeeded)]
internal sealed class OlderOpsetsTests
{
    private static IEnumerable<TestCaseData> Cases =>
        from family in AdapterFamilies.All
        where !family.Create(FamilyMatrix.OptionsOf(family.Method)).Targets.AreParameters
        from opset in new[] { 9L, 12L, 14L }
        select new TestCaseData(family.Method, opset);

    [TestCaseSource(nameof(Cases))]
    public void Branches_are_written_in_the_opset_of_the_file(string method, long opset)
    {
        using var folder = new TestFolder();
        var deployed = Bert(opset, folder["base.onnx"]);
        var adapter = RandomAdapter.For(deployed, FamilyMatrix.OptionsOf(method));

        RandomAdapter.Evaluator.Fold(deployed, adapter, new ExportOptions { KeepBase = true }).Save(folder["beside.onnx"]);

        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model;
        var kept = OnnxModel.Load(folder["beside.onnx"]);
        Assert.That(kept.Opset, Is.EqualTo(opset));
        Assert.That(RandomAdapter.Evaluator.Compare(adapted, kept, new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    // The file is of opset 14; its own nodes are brought to the older one in the same way.
    private static OnnxModel Bert(long opset, string path)
    {
        var model = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "bert").Path);
        model.OpsetVersions[string.Empty] = opset;
        BranchOpset.Apply(new Tape(model.Graph, onnxOnly: true), model, new HashSet<Node>());
        model.Save(path);
        return OnnxModel.Load(path);
    }
}
