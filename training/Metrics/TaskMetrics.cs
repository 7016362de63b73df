using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using Tensor = LoRTA.Onnx.GraphGen.Ir.Tensor;

namespace LoRTA.Onnx.Training.Metrics;

/// <summary>Loss and metrics of a task over an evaluation set, fed batch by batch.</summary>
/// <remarks>Labels that say so (−100) do not count. causal-lm compares logits[t] with labels[t + 1] within a row; other token tasks do not shift.</remarks>
internal sealed class TaskMetrics
{
    // Which metrics a task reports, in the order of reports.
    private static readonly Dictionary<string, (string Name, Func<TaskMetrics, double> Value)[]> Table = new(StringComparer.Ordinal)
    {
        ["classification"] = [("accuracy", m => m._classes.Accuracy), ("f1", m => m._classes.F1), ("matthews", m => m._classes.Matthews)],
        ["regression"] = [("pearson", m => m._numbers.Pearson), ("spearman", m => m._numbers.Spearman), ("mse", m => m._numbers.MeanSquaredError)],
        ["causal-lm"] = [("perplexity", m => Math.Exp(m._loss.Value)), ("tokenAccuracy", m => m._tokens.Value)],
        ["masked-lm"] = [("perplexity", m => Math.Exp(m._loss.Value)), ("tokenAccuracy", m => m._tokens.Value)],
        ["token-classification"] = [("tokenAccuracy", m => m._tokens.Value)],
        ["loss"] = [],
    };

    private readonly string _task;
    private readonly WeightedMean _loss = new();
    private readonly WeightedMean _tokens = new();
    private readonly ClassificationMetrics _classes = new();
    private readonly RegressionMetrics _numbers = new();

    public TaskMetrics(string task) => _task = task;

    /// <summary>Names of the metrics that a task reports beside the loss; none for a task that is not there yet.</summary>
    public static IEnumerable<string> Names(string task) => Table.GetValueOrDefault(task, []).Select(metric => metric.Name);

    /// <summary>Whether more of a metric is better.</summary>
    public static bool IsHigherBetter(string metric) => metric is not ("loss" or "perplexity" or "mse");

    /// <summary>Mean loss over all labels so far.</summary>
    public double Loss => _loss.Value;

    /// <summary>The task's metrics by name.</summary>
    public IReadOnlyDictionary<string, double> Values => new OrderedDictionary<string, double>(Table[_task].Select(metric => KeyValuePair.Create(metric.Name, metric.Value(this))));

    /// <summary>A value by its name in recipes: <c>loss</c> or a metric.</summary>
    public double this[string name] => name == "loss" ? Loss : Values[name];

    /// <summary>Adds the mean loss of a batch of <paramref name="count"/> labels.</summary>
    public void AddLoss(double loss, long count) => _loss.Add(loss, count);

    /// <summary>Adds what the model said about a batch.</summary>
    /// <param name="logits">[rows, classes]; for token tasks [rows, tokens, classes], or int64 [rows, tokens], the likeliest class of each; regression reads logit 0.</param>
    /// <param name="labels">[rows], or [rows, tokens]; integers, for regression any numbers.</param>
    public void Add(Tensor logits, Tensor labels)
    {
        switch (_task)
        {
            case "classification": AddClasses(logits, labels.ToLongs()); break;
            case "regression": AddNumbers(logits, labels.ToFloats()); break;
            case "causal-lm": AddTokens(logits, labels, shift: 1); break;
            case "masked-lm" or "token-classification": AddTokens(logits, labels, shift: 0); break;
        }
    }

    private void AddClasses(Tensor logits, long[] labels)
    {
        var (scores, classes) = (logits.ToFloats(), (int)logits.Dims[^1]);
        for (var row = 0; row < labels.Length; row++)
        {
            if (labels[row] != TaskLosses.Ignored) _classes.Add(TensorPrimitives.IndexOfMax<float>(scores.AsSpan(row * classes, classes)), (int)labels[row]);
        }
    }

    private void AddNumbers(Tensor logits, float[] labels)
    {
        var (scores, width) = (logits.ToFloats(), (int)logits.Dims[^1]);
        for (var row = 0; row < labels.Length; row++) _numbers.Add(scores[row * width], labels[row]);
    }

    // A vocabulary is wide: logits are read in place, one row at a time.
    private void AddTokens(Tensor logits, Tensor labels, int shift)
    {
        var (length, classes, ids) = (labels.Dims[^1], (int)logits.Dims[^1], labels.ToLongs());
        var predicted = logits.Type == ElementType.Int64 ? logits.ToLongs() : null;
        long correct = 0, count = 0;
        for (long token = 0; token < ids.Length; token++)
        {
            if ((token % length) + shift >= length || ids[token + shift] == TaskLosses.Ignored) continue;
            count++;
            if ((predicted?[token] ?? IndexOfMax(logits, token, classes)) == ids[token + shift]) correct++;
        }
        if (count > 0) _tokens.Add((double)correct / count, count);
    }

    private static int IndexOfMax(Tensor logits, long row, int width) =>
        TensorPrimitives.IndexOfMax(MemoryMarshal.Cast<byte, float>(logits.Slice(row * width * sizeof(float), width * sizeof(float))));
}
