using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Inspection;

/// <summary>The tasks that a model can be trained for, read off its outputs.</summary>
internal static class SuitableTasks
{
    private static readonly string[] Comparisons = ["Less", "LessOrEqual", "Greater", "GreaterOrEqual"];

    /// <summary>The tasks, in the order of preference; empty for a model without a head.</summary>
    /// <param name="model">The training copy.</param>
    public static IReadOnlyList<string> Of(CanonicalModel model)
    {
        var outputs = model.Model.Graph.Outputs.Where(output => output.Type.IsFloat()).ToList();
        var logits = outputs.Find(output => output.Name == "logits") ?? outputs.Find(output => output.Shape?.Rank is 2 or 3);
        var ownLoss = outputs.Exists(output => output.Name == "loss" && output.Shape?.Size.Is(1) == true);
        return [.. logits is null ? [] : TasksOf(model, logits), .. ownLoss ? new[] { "loss" } : []];
    }

    /// <summary>Whether no token sees those behind it.</summary>
    public static bool IsCausal(CanonicalModel model) =>
        TextInputs.Fed(model.Deployed.Graph).Any(input => TextInputs.IsCache(input.Type, input.Shape?.Rank))
        || model.Cores.Any(core => core.Mask is { } mask && Sources(mask).Any(ComparesPositions));

    /// <summary>Whether tokens see those after them, as in masked language models; false where no attention is found.</summary>
    public static bool SeesAhead(CanonicalModel model) => model.Cores.Count > 0 && !IsCausal(model);

    private static string[] TasksOf(CanonicalModel model, Value logits)
    {
        var (width, vocabulary) = (logits.Shape?[-1].Value, TokenEmbedding.Vocabulary(model.Deployed));
        return logits.Shape?.Rank switch
        {
            2 when width == 1 => ["regression"],
            2 => ["classification"],
            3 when width is not null && width == vocabulary => [IsCausal(model) ? "causal-lm" : "masked-lm"],
            3 when logits.Name == "logits" => ["token-classification"],
            _ => [],
        };
    }

    // A triangle of ones, or positions that are compared with positions, constants where the length is fixed; a comparison with a
    // number is about lengths and ids.
    private static bool ComparesPositions(Value value) => value switch
    {
        { Constant: { Rank: >= 2 } table } => table.Dims[^1] == table.Dims[^2] && table.Dims[^1] > 1,
        { Producer.OpType: "Trilu" } => true,
        { Producer: { } node } =>
            Comparisons.Contains(node.OpType) && node.Inputs.All(input => input is { Constant: null or { Count: > 1 } }),
        _ => false,
    };

    private static IEnumerable<Value> Sources(Value value)
    {
        var (seen, open) = (new HashSet<Value>([value]), new Stack<Value>([value]));
        while (open.TryPop(out var next))
        {
            yield return next;
            foreach (var input in next.Producer?.Inputs.OfType<Value>().Where(seen.Add) ?? []) open.Push(input);
        }
    }
}
