using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>What a model is trained for.</summary>
/// <param name="Name">Name in recipes and results: that of its loss in <see cref="LortaCatalog.Losses"/>.</param>
/// <param name="Labels">What its labels look like; null = what the model's own input for labels takes.</param>
internal sealed record TrainingTask(string Name, LabelKind? Labels)
{
    /// <summary>Makes what turns rows into samples.</summary>
    public required Func<DataContext, IRowEncoder> Encoder { get; init; }

    /// <summary>Makes its metrics, beside the loss; null = it has none.</summary>
    public Func<IMetrics>? Metrics { get; init; }

    /// <summary>Makes what reads predictions off the model's output, given names of the classes; null = it predicts nothing that a row of
    /// a table can hold.</summary>
    public Func<IReadOnlyList<string>, IPredictions>? Predictions { get; init; }

    /// <summary>Keys of recipes that only some tasks read (the rules of recipes list them) and that this one reads.</summary>
    public required IReadOnlyList<string> Keys { get; init; }

    /// <summary>Whether the tokenizer's special tokens are put around every row, so that its length must leave room for them.</summary>
    public bool WrapsRows { get; init; } = true;

    /// <summary>Names of the metrics beside the loss.</summary>
    public IEnumerable<string> MetricNames => WithoutRows.Select(metric => metric.Name);

    private IEnumerable<Metric> WithoutRows => Metrics?.Invoke().Values(loss: 0) ?? [];

    /// <summary>Whether more of a metric is better; of the loss less is.</summary>
    public bool IsHigherBetter(string metric) => WithoutRows.Any(known => known.Name == metric && known.IsHigherBetter);
}

/// <summary>The tasks of this project.</summary>
internal static class TrainingTasks
{
    /// <summary>All tasks, in the order of help and messages.</summary>
    public static IReadOnlyList<TrainingTask> All { get; } =
    [
        CausalLmTask.Definition, MaskedLmTask.Definition, ClassificationTask.Definition, RegressionTask.Definition,
        TokenClassificationTask.Definition, OwnLossTask.Definition,
    ];

    /// <summary>The task of a name; null where there is none.</summary>
    public static TrainingTask? Find(string name) => All.FirstOrDefault(task => task.Name == name);

    /// <summary>The task of a loss; of a user's own, one whose labels are what the loss takes.</summary>
    public static TrainingTask Of(ILoss loss) => Find(loss.Name) ?? OwnLossTask.OfUser(loss);
}
