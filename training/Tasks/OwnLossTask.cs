using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>What a loss of the model's own says, or one that a user gave: its input for labels decides what they are, tokens being the
/// row's own.</summary>
internal static class OwnLossTask
{
    /// <summary>The model computes its loss itself.</summary>
    public static TrainingTask Definition { get; } = Of("loss", "taskOptions.output", "data.template");

    /// <summary>A loss that is in a user's catalog, which knows its output itself.</summary>
    /// <param name="loss">The loss, which says what is measured beside it.</param>
    /// <exception cref="InvalidOperationException">No task has the metrics that it asks for.</exception>
    public static TrainingTask OfUser(ILoss loss) => Of(
        loss.Name, "data.template", "data.template.prompt", "data.columns.pair", "data.labels", "data.bos", "data.eos", "data.packing") with
    {
        Metrics = MetricsOf(loss),
    };

    private static Func<IMetrics>? MetricsOf(ILoss loss)
    {
        if (loss.Metrics.Count == 0) return null;
        var all = TrainingTasks.All.FirstOrDefault(task => !loss.Metrics.Except(task.MetricNames, StringComparer.Ordinal).Any())?.Metrics
            ?? throw new InvalidOperationException(
                $"The loss '{loss.Name}' asks for {string.Join(", ", loss.Metrics)}, which no task has together; there are {Known()}.");
        return () => new ChosenMetrics(all(), loss.Metrics);

        static string Known() => string.Join(
            "; ", TrainingTasks.All.Select(task => string.Join(", ", task.MetricNames)).Where(names => names.Length > 0).Distinct());
    }

    private static TrainingTask Of(string name, params IReadOnlyList<string> keys) => new(name, Labels: null)
    {
        Encoder = data => data.OwnLabels == LabelKind.Token ? new CausalLmTask(data) : new TextEncoder(data, data.OwnLabels),
        Keys = keys,
    };

    // Some of a task's metrics, in the order of its reports.
    private sealed class ChosenMetrics(IMetrics all, IReadOnlyList<string> names) : IMetrics
    {
        public void Add(OnnxTensor logits, OnnxTensor labels) => all.Add(logits, labels);

        public IEnumerable<Metric> Values(double loss) =>
            all.Values(loss).Where(metric => names.Contains(metric.Name, StringComparer.Ordinal));
    }
}
