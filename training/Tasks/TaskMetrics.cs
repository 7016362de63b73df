using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Loss and metrics of a task over an evaluation set, fed batch by batch.</summary>
internal sealed class TaskMetrics(TrainingTask task)
{
    private readonly WeightedMean _loss = new();
    private readonly IMetrics? _metrics = task.Metrics?.Invoke();

    /// <summary>All labels so far.</summary>
    public long Count => _loss.Count;

    /// <summary>Mean loss over all labels so far.</summary>
    public double Loss => _loss.Value;

    /// <summary>The task's metrics by name, in the order of reports.</summary>
    public IReadOnlyDictionary<string, double> Values => new OrderedDictionary<string, double>(
        (_metrics?.Values(Loss) ?? []).Select(metric => KeyValuePair.Create(metric.Name, metric.Value)));

    /// <summary>Adds the mean loss of a batch of <paramref name="count"/> labels.</summary>
    public void AddLoss(double loss, long count) => _loss.Add(loss, count);

    /// <summary>Adds what the model said about a batch.</summary>
    public void Add(OnnxTensor logits, OnnxTensor labels) => _metrics?.Add(logits, labels);
}

/// <summary>What a task reports beside the loss.</summary>
internal interface IMetrics
{
    /// <summary>Adds a batch; labels that say so (−100) do not count.</summary>
    void Add(OnnxTensor logits, OnnxTensor labels);

    /// <summary>The metrics of all batches so far.</summary>
    /// <param name="loss">Their mean loss.</param>
    IEnumerable<Metric> Values(double loss);
}

/// <summary>A number that says how good a model is.</summary>
internal readonly record struct Metric(string Name, double Value, bool IsHigherBetter = true);
