using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>A family that this project does not have, given to each entry point.</summary>
internal sealed class OwnFamilyTests
{
    private static readonly LortaCatalog Catalog = LortaCatalog.Default.With(Gain.Entry);

    private readonly OnnxModel _base = OnnxModel.Load(Architectures.All.First(architecture => architecture.Name == "bert").Path);

    private Adapter Random => RandomAdapter.For(_base, "gain", catalog: Catalog);

    [Test]
    public void It_is_injected() => Assert.That(Injected().Config.Method, Is.EqualTo("gain"));

    [Test]
    public void It_is_trained()
    {
        var graphs = TrainingGraphs.Build(_base, new TrainingOptions { Adapter = Random.Config.AdapterOptions, Task = "masked-lm" }, Catalog);

        Assert.That(graphs.Plan.Family, Is.TypeOf<Gain>());
    }

    [Test]
    public void It_is_folded_and_what_was_folded_is_verified()
    {
        var adapter = Injected();

        var folded = RandomAdapter.EvaluatorOf(Catalog).Fold(_base, adapter);

        var verifier = RandomAdapter.EvaluatorOf(Catalog);
        Assert.That(verifier.Compare(UnderstoodModel.Of(_base), folded, new VerifyOptions { Adapter = adapter, Length = 8 }).Ok, Is.True);
    }

    [Test]
    public void It_stays_beside_its_base()
    {
        var folder = RandomAdapter.EvaluatorOf(Catalog);

        var kept = folder.Fold(_base, Injected(), new ExportOptions { KeepBase = true }).Model;

        Assert.That(kept.Graph.Nodes.Count(), Is.GreaterThan(_base.Graph.Nodes.Count()));
    }

    private Adapter Injected() =>
        DeployedInjection.WithInputs(_base, Random.Config.AdapterOptions, Random.Tensors, seed: 0, Catalog).Adapter;
}
