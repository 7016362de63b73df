using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class EvaluatorTests
{
    // The second of three has no label that counts, as happens where masks are drawn at random.
    private static readonly Batch[] Batches = [Labelled(6), Labelled(-100), Labelled(6)];

    [Test]
    public void Rows_without_labels_are_done_as_well()
    {
        var reports = new Reports();
        using var runtime = new FixedLoss();

        new Evaluator(LortaCatalog.Default.LossOf("causal-lm"), output: null).Evaluate(runtime, Batches, step: 0, reports, rows: 3);

        Assert.That(reports.Seen, Is.EqualTo(new WorkProgress[] { new("rows evaluated", 1, 3), new("rows evaluated", 2, 3), new("rows evaluated", 3, 3) }));
    }

    [Test]
    public void Batches_without_labels_are_not_computed()
    {
        using var runtime = new FixedLoss();

        new Evaluator(LortaCatalog.Default.LossOf("causal-lm"), output: null).Evaluate(runtime, Batches, step: 0);

        Assert.That(runtime.Runs, Is.EqualTo(2));
    }

    private static Batch Labelled(long label) => Batch.Padded([new Example([5, 6]) { TokenLabels = [-100, label] }]);

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
