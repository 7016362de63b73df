using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen;

/// <summary>What is to be trained, on what, and how.</summary>
public sealed record TrainingOptions
{
    /// <summary>The adapter.</summary>
    public required AdapterOptions Adapter { get; init; }

    /// <summary>The task, which names the loss: classification, regression, masked-lm, causal-lm, token-classification, loss, or one that
    /// was added to the catalog.</summary>
    public required string Task { get; init; }

    /// <summary>The output that the loss is of; null = the one that fits.</summary>
    public string? Output { get; init; }

    /// <summary>The model's own parameters that train along.</summary>
    public IReadOnlyList<TrainablePattern> Trainables { get; init; } = [];

    /// <summary>The optimizer.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>Names of the classes, in the order of their indices, for the adapter's file; null = they have none.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Seed of the first values.</summary>
    public long Seed { get; init; }

    /// <summary>Given values of factors and parameters, by name; those that are absent are drawn or taken from the model.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Values { get; init; } = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);

    /// <summary>Names of the model's parameters; null = derived from the file.</summary>
    internal IReadOnlyList<ParameterName>? Names { get; init; }
}
