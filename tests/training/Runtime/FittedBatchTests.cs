using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>An export that fixes the number of rows or their length computes what the dynamic export computes.</summary>
internal sealed class FittedBatchTests
{
    private const int Rows = 5;
    private const int Length = 12;

    private static IEnumerable<TestCaseData> Cases() =>
        from model in new[] { ("qwen2", "causal-lm"), ("bert", "masked-lm"), ("gpt2", "causal-lm"), ("llama-mini/ts-sdpa", "causal-lm"), ("roberta-mini/seqcls.ts-eager", "classification"), ("roberta-mini/seqcls.ts-eager", "regression") }
        from size in new (int?, int?)[] { (null, 20), (2, null), (3, 16), (8, Length) }
        select new TestCaseData(model.Item1, model.Item2, size.Item1, size.Item2).SetArgDisplayNames(model.Item1, model.Item2, $"{size.Item1?.ToString() ?? "any"} x {size.Item2?.ToString() ?? "any"}");

    [TestCaseSource(nameof(Cases))]
    public void Loss_gradients_and_outputs_equal_those_of_the_dynamic_export(string name, string task, int? rows, int? length)
    {
        var batch = Batch(task);
        using var dynamic = Open(Load(name), task);
        using var fixedSizes = Open(FixedModels.WithSizes(Load(name), rows, length), task);

        var (expected, found) = (dynamic.Accumulate(batch, weight: 1), fixedSizes.Accumulate(batch, weight: 1));

        Assert.That(found, Is.EqualTo(expected).Within(1e-6 * Math.Abs(expected)));
        foreach (var (factor, gradient) in dynamic.Gradients)
        {
            var numbers = gradient.ToFloats();
            Assert.That(fixedSizes.Gradients[factor].ToFloats(), Is.EqualTo(numbers).Within(1e-5 * numbers.Max(Math.Abs)), factor);
        }
        var (whole, joined) = (dynamic.Forward(batch), fixedSizes.Forward(batch));
        Assert.That(joined["loss"].ToFloats()[0], Is.EqualTo(expected).Within(1e-6 * Math.Abs(expected)));
        Assert.That(joined["logits"].Dims, Is.EqualTo(whole["logits"].Dims));
        Assert.That(Visible(joined["logits"], batch), Is.EqualTo(Visible(whole["logits"], batch)).Within(1e-5));
    }

    [TestCase(2, 20)]
    [TestCase(null, 7)]
    public void Central_differences_are_taken_over_the_runs(int? rows, int? length)
    {
        var model = FixedModels.WithSizes(Load("qwen2"), rows, length);
        var options = new TrainingOptions { Adapter = new AdapterOptions { Method = "lora", Rank = 2, Alpha = 2, Targets = ["q", "p"] }, Task = "causal-lm" };
        var graphs = TrainingGraphs.Build(model, options with { Values = CentralDifferenceCheck.FactorsOf(TrainingGraphs.Build(model, options).Plan, seed: 0) });

        var result = new CentralDifferenceCheck(graphs, new OrtEngineOptions { Threads = 1 }, seed: 0).Run(SampleBatch.For("causal-lm", 32, 32, seed: 0, graphs.Batches.Sizes));

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok));
    }

    [Test]
    public void Row_longer_than_the_fixed_length_is_refused()
    {
        using var runtime = Open(FixedModels.WithSizes(Load("qwen2"), null, 7), "causal-lm");

        var failure = Assert.Throws<LortaException>(() => runtime.Accumulate(Batch("causal-lm"), weight: 1))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT413", "The model takes rows of 7 tokens, and there is a row of 12.")));
    }

    [TestCase(ElementType.Float)]
    [TestCase(ElementType.Bool)]
    [TestCase(ElementType.Int32)]
    public void Mask_and_ids_are_fed_in_the_types_that_the_model_declares(int maskType)
    {
        var batch = Batch("causal-lm");
        using var declared = Open(Load("qwen2"), "causal-lm");
        using var other = Open(WithMask(Load("qwen2"), (ElementType)maskType), "causal-lm");

        Assert.That(other.Accumulate(batch, weight: 1), Is.EqualTo(declared.Accumulate(batch, weight: 1)));
    }

    private static OnnxModel Load(string name) => OnnxModel.Load(name.Contains('/', StringComparison.Ordinal)
        ? Exports.Path(name)
        : Architectures.All.Single(architecture => architecture.Name == name).Path);

    private static OrtSessionRuntime Open(OnnxModel model, string task)
    {
        var options = new AdapterOptions { Method = "lora", Rank = 2, Alpha = 2, Targets = ["q", "v"] };
        var plan = TrainingGraphs.Build(model, new TrainingOptions { Adapter = options, Task = task }).Plan;
        var trained = new TrainingOptions { Adapter = options, Task = task, Values = CentralDifferenceCheck.FactorsOf(plan, seed: 3) };
        return new OrtSessionRuntime(TrainingGraphs.Build(model, trained), new OrtEngineOptions { Threads = 1 });
    }

    // The mask comes in another type and is cast to the one that the graph reads.
    private static OnnxModel WithMask(OnnxModel model, ElementType type)
    {
        var mask = model.Graph.Find("attention_mask")!;
        var readers = mask.Uses.ToList();
        var cast = new Tape(model.Graph, onnxOnly: true)[mask].Cast(mask.Type == ElementType.Int64 ? ElementType.Double : ElementType.Int64).Cast(mask.Type);
        foreach (var reader in readers) reader.Node.SetInput(reader.Index, cast.Value);
        (mask.Type, mask.Declaration) = (type, default);
        model.Graph.RemoveUnused();
        model.Graph.Sort();
        return model;
    }

    // Rows of 12, 10, 8, 6 and 4 tokens, the first two of which are not labelled.
    private static Batch Batch(string task)
    {
        var batch = SampleBatch.For(task, 32, 2, seed: 1, rows: Rows);
        var inputs = batch.Inputs.ToDictionary(StringComparer.Ordinal);
        var mask = Enumerable.Range(0, Rows * Length).Select(i => i % Length < Length - (2 * (i / Length)) ? 1L : 0).ToArray();
        inputs["attention_mask"] = OnnxTensor.Of<long>([Rows, Length], mask);
        if (inputs["labels"] is { Rank: 2 } labels)
            inputs["labels"] = OnnxTensor.Of<long>([Rows, Length], [.. labels.ToLongs().Select((label, i) => mask[i] == 0 || i % Length < 2 ? -100 : label)]);
        return batch with { Inputs = inputs };
    }

    private static float[] Visible(OnnxTensor logits, Batch batch)
    {
        if (logits.Rank == 2) return logits.ToFloats();
        var (mask, width) = (batch.Inputs["attention_mask"].ToLongs(), (int)logits.Dims[2]);
        return [.. logits.ToFloats().Where((_, i) => mask[i / width] == 1)];
    }
}
