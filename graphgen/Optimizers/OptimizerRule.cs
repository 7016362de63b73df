namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>A rule by which tensors move.</summary>
/// <param name="Name">Its name in recipes.</param>
/// <param name="State">What it keeps for each tensor.</param>
/// <param name="Build">Makes the graph of one step.</param>
internal sealed record OptimizerRule(
    string Name, IReadOnlyList<OptimizerState> State, Func<IReadOnlyList<OptimizedTensor>, OptimizerOptions, OnnxModel> Build)
{
    /// <summary>AdamW.</summary>
    public const string AdamW = "adamw";

    /// <summary>Gradient descent without momentum.</summary>
    public const string Sgd = "sgd";

    /// <summary>Every rule.</summary>
    public static IReadOnlyList<OptimizerRule> All { get; } =
    [
        new(AdamW, Optimizers.AdamW.State, (tensors, options) =>
            Optimizers.AdamW.Build(tensors, new(options.Betas[0], options.Betas[1], options.Epsilon, options.Clip))),
        new(Sgd, [], (tensors, options) => Optimizers.Sgd.Build(tensors, options.Clip)),
    ];

    /// <summary>The rule of a name; null where there is none.</summary>
    public static OptimizerRule? Find(string name) => All.FirstOrDefault(rule => rule.Name == name);
}
