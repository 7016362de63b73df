using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class EvaluatorTests
{
    // The second of three batches has no label, as happens where masks are drawn at random.
    private static readonly DataStream Data = new(
        new Drawn(), [new([1]), new([2]), new([3])], new BatchPlan(seed: 0, [1, 1, 1], batchSize: 1, bucketing: false),
        samples => RunPlanTests.Batch(rows: 1, labels: samples[0].Ids[0] == 2 ? 0 : 1))
    { Path = "x", Counts = new() { Rows = 3, Cut = 0, TokensCut = 0, WithoutLabel = 0, Empty = 0 } };

    [Test]
    public void Rows_without_labels_are_done_as_well()
    {
        var reports = new Reports();
        using var runtime = new FixedLoss();

        new Evaluator(TrainingTasks.Find("causal-lm")!, Data, output: null).Evaluate(runtime, step: 0, reports);

        Assert.That(reports.Seen, Is.EqualTo(new WorkProgress[] { new("rows evaluated", 1, 3), new("rows evaluated", 2, 3), new("rows evaluated", 3, 3) }));
    }

    [Test]
    public void Batches_without_labels_are_not_computed()
    {
        using var runtime = new FixedLoss();

        new Evaluator(TrainingTasks.Find("causal-lm")!, Data, output: null).Evaluate(runtime, step: 0);

        Assert.That(runtime.Runs, Is.EqualTo(2));
    }

    private sealed class Drawn : IRowEncoder
    {
        public EncodedRows Encode(IReadOnlyList<DataRow> rows) => throw new NotSupportedException();
    }

    private sealed class FixedLoss : IForwardRuntime
    {
        public int Runs { get; private set; }

        public IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch)
        {
            Runs++;
            return new Dictionary<string, OnnxTensor> { [TrainingNames.Loss] = OnnxTensor.Of<float>([], [0.5f]) };
        }

        public void Dispose()
        {
        }
    }

    private sealed class Reports : IProgress<WorkProgress>
    {
        public List<WorkProgress> Seen { get; } = [];

        public void Report(WorkProgress value) => Seen.Add(value);
    }
}
