using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Injection;

/// <summary>A product of 8 features; two heads of one projection interleave with those of another.</summary>
internal sealed class PackedOutputTests
{
    private static readonly FeatureRanges First = [(0, 2), (4, 6)];
    private static readonly FeatureRanges Second = [(2, 4)];   // 6 and 7 are nobody's

    private readonly OnnxModel _model;
    private readonly Tape _tape;
    private readonly Expr _whole;

    public PackedOutputTests()
    {
        (_model, _tape) = Ort.New();
        _whole = _tape[_model.Graph.AddInput("whole", ElementType.Float, [1, 8])];
    }

    [Test]
    public void Each_projection_gets_its_own_features()
    {
        var (parts, _) = PackedOutput.TakeApart(_whole, [First, Second]);

        Assert.That(parts.Select(Run), Is.EqualTo(new[] { new[] { 0f, 1, 4, 5 }, [2f, 3] }));
    }

    [Test]
    public void Joined_again_they_lie_as_in_the_file()
    {
        var (_, joined) = PackedOutput.TakeApart(_whole, [First, Second]);

        Assert.That(Run(joined), Is.EqualTo(new[] { 0f, 1, 2, 3, 4, 5, 6, 7 }));
    }

    [Test]
    public void What_is_done_to_a_part_is_seen_by_whoever_reads_the_whole()
    {
        var (parts, joined) = PackedOutput.TakeApart(_whole, [First, Second]);
        var (part, readers) = (parts[0].Value, parts[0].Value.Uses.ToHashSet());

        _model.Graph.Splice(part, readers, (parts[0] * 10).Value);
        _model.Graph.Sort();

        Assert.That(Run(joined), Is.EqualTo(new[] { 0f, 10, 2, 3, 40, 50, 6, 7 }));
    }

    [Test]
    public void A_projection_that_is_the_whole_stays_as_it_is() =>
        Assert.That(PackedOutput.TakeApart(_whole, [[(0, 8)]]).Joined.Value, Is.SameAs(_whole.Value));

    private float[] Run(Expr result)
    {
        var model = _model.Clone();
        model.Graph.AddOutput(model.Graph.Find(result.Value.Name)!);
        return Ort.Run(model, new Dictionary<string, OnnxTensor> { ["whole"] = OnnxTensor.Of<float>([1, 8], [0, 1, 2, 3, 4, 5, 6, 7]) })
            .Single().Value.ToFloats();
    }
}
