using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>The optimizer's graph of ONNX Runtime Training: clipping by the joint norm, then AdamW as torch.optim.AdamW, or gradient
/// descent without momentum, each one operator on lists of tensors.</summary>
internal static class OrtOptimizer
{
    private const int AsTorch = 0;   // decay first, ε outside the bias correction

    private static readonly Dictionary<string, HostRule> HostRules = new(StringComparer.Ordinal)
    {
        [OptimizerRule.AdamW] = new(AdamW, [OrtParameterState.First, OrtParameterState.Second], HasDecay: true),
        [OptimizerRule.Sgd] = new(Sgd, [OrtParameterState.First], HasDecay: false),   // it never reads that moment
    };

    /// <summary>Makes the graph.</summary>
    /// <param name="options">The optimizer.</param>
    /// <param name="weightDecay">Decay of all tensors.</param>
    /// <param name="rates">Learning rate of each step, for hosts that cannot set one; null = the host sets it.</param>
    public static OnnxModel Build(OptimizerOptions options, double weightDecay, IReadOnlyList<double>? rates)
    {
        var model = OnnxModel.ForRuntime(new Graph(options.Name));
        var graph = model.Graph;
        var tape = new Tape(graph);
        var rate = tape[graph.AddInput(OrtNames.LearningRate, ElementType.Float, [1])];
        var step = tape[graph.AddInput(OrtNames.Step, ElementType.Int64, [1])];
        var rule = HostRules[options.Name];
        var lists = OrtNames.Lists[..(2 + rule.Moments.Count)].Select(name => graph.AddSequenceInput(name, ElementType.Float)).ToArray();
        if (rates is not null) rate = RateAt(step, rates);
        if (options.Clip is { } limit) lists[1] = Clipped(graph, lists[1], limit);
        var updated = graph.AddValue("updated", ElementType.Bool);   // without a shape: inferred and computed ones differ for descent
        graph.Add(rule.Node(options, weightDecay, [rate.Value, step.Value, .. lists], updated));
        graph.AddOutput(updated);
        return model;
    }

    /// <summary>What a checkpoint holds for each parameter, by the name there; null = zeros that no rule reads.</summary>
    public static IReadOnlyList<(string Moment, OptimizerState? Kept)> MomentsOf(OptimizerOptions options) =>
        [.. HostRules[options.Name].Moments.Select((moment, i) => (moment, options.Rule.State.ElementAtOrDefault(i)))];

    /// <summary>Whether the optimizer can shrink parameters.</summary>
    public static bool HasDecay(OptimizerOptions options) => HostRules[options.Name].HasDecay;

    private static Node AdamW(OptimizerOptions options, double weightDecay, Value?[] inputs, Value updated) =>
        new("AdamWOptimizer", OrtOps.Domain, inputs, [updated])
        {
            Name = "AdamW",
            Attributes =
            {
                ["alpha"] = (float)options.Betas[0],
                ["beta"] = (float)options.Betas[1],
                ["epsilon"] = (float)options.Epsilon,
                ["weight_decay"] = (float)weightDecay,
                ["adam_mode"] = AsTorch,
                ["correct_bias"] = 1,
            },
        };

    // All of AdamW's inputs but the step and the moments.
    private static Node Sgd(OptimizerOptions options, double weightDecay, Value?[] inputs, Value updated) =>
        new("SGDOptimizerV2", OrtOps.Domain, [inputs[0], inputs[2], inputs[3]], [updated]) { Name = "SGD" };

    // The runtime counts steps from 1; behind the last step its rate stays.
    private static Expr RateAt(Expr step, IReadOnlyList<double> rates)
    {
        var tape = step.Tape;
        var table = tape.Constant(OnnxTensor.Vector<float>([0f, .. rates.Select(rate => (float)rate)]), "learning_rates");
        var index = step.Apply("Min", tape.Longs(rates.Count));
        return tape.Op("Gather", [table, index], ("axis", 0));
    }

    private static Value Clipped(Graph graph, Value gradients, double limit)
    {
        var clipped = graph.AddValue("clipped_gradients");
        graph.Add(new Node("InplaceClipGradNorm", OrtOps.Domain, [gradients], [clipped])
        {
            Name = "Clip",
            Attributes = { ["max_norm"] = (float)limit },
        });
        return clipped;
    }

    // What the runtime has for a rule: its operator, made of the rate, the step and the lists, and the moments that its checkpoints name.
    private sealed record HostRule(
        Func<OptimizerOptions, double, Value?[], Value, Node> Node, IReadOnlyList<string> Moments, bool HasDecay);
}
