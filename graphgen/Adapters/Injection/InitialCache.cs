using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>A key/value cache before a text is read that holds what an adapter puts before the keys and values of a sequence. The model
/// stays as it is.</summary>
/// <param name="Tensors">By input of the cache, float32 [1, key/value heads, n, head width].</param>
/// <param name="Length">n.</param>
/// <param name="Offset">The position of the first token.</param>
internal sealed record InitialCache(IReadOnlyDictionary<string, OnnxTensor> Tensors, int Length, int Offset)
{
    /// <summary>The cache that an adapter makes; null where it is no adapter of attention, or the model has no cache.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="allowOtherBase">Accept other weights than those that the adapter was trained on.</param>
    /// <param name="evaluator">Runs graphs, and knows the families.</param>
    /// <exception cref="LortaException">LRT310, LRT311: an adapter of another model; LRT328: a cache that cannot hold it.</exception>
    public static InitialCache? Of(
        UnderstoodModel model,
        Adapter adapter,
        bool allowOtherBase,
        IGraphEvaluator evaluator)
    {
        var inputs = CachesOf(model.Deployed);
        if (inputs.Count == 0) return null;
        var plan = BaseModels.PlanOf(model, adapter, allowOtherBase, evaluator.Catalog);
        if (!plan.Family.Targets.AreAttention) return null;
        var (outputs, length, offset) = Write(plan, adapter.FactorsOf(plan), inputs);
        var countsCache = TextInputs.Fed(model.Deployed.Graph).All(input => input.Name != TextInputs.Positions);
        if (countsCache && offset != length)
            throw Refusal(inputs[0].Input, $"the model counts its positions from the cache, and the adapter moves them on by {offset}");
        return new InitialCache(Run(outputs, evaluator), length, offset);
    }

    private static (Dictionary<string, Expr> Outputs, int Length, int Offset) Write(
        AdapterPlan plan, IReadOnlyDictionary<string, OnnxTensor> values, IReadOnlyList<CacheInput> inputs)
    {
        var tape = new Tape(new Graph("initial cache"));
        var factors = AdapterInjection.AddInputs(tape, plan, values);
        var adapted = plan.Sites.All.Select(site => site.Layer).ToHashSet();
        var outputs = new Dictionary<string, Expr>(StringComparer.Ordinal);
        var (length, offset) = (0, 0);
        foreach (var (input, layer, isKey) in inputs)
        {
            if (!adapted.Contains(layer) || plan.Family.Preceding(layer, factors) is not { } preceding)
                throw Refusal(input, "a cache has one length in all layers, and the adapter leaves this one out");
            var rows = isKey ? preceding.Keys : preceding.Values;
            (length, offset) = ((int)rows.Shape[1].Value!.Value, preceding.Offset);
            outputs[input.Name] = rows.Reshape(1, rows.Shape[0].Value!.Value, length, rows.Shape[2].Value!.Value);
        }
        return (outputs, length, offset);
    }

    private static Dictionary<string, OnnxTensor> Run(Dictionary<string, Expr> outputs, IGraphEvaluator evaluator)
    {
        var graph = outputs.Values.First().Tape.Graph;
        foreach (var output in outputs.Values) graph.AddOutput(output.Value);
        graph.RemoveUnused();
        graph.RemoveUnusedInputs();
        var results = evaluator.Run(OnnxModel.ForRuntime(graph), new Dictionary<string, OnnxTensor>(StringComparer.Ordinal));
        return outputs.ToDictionary(output => output.Key, output => results[output.Value.Value.Name], StringComparer.Ordinal);
    }

    // past_key_values.3.key, past.3.value
    private static IReadOnlyList<CacheInput> CachesOf(OnnxModel model)
    {
        var texts = new TextInputs(model);
        return [.. TextInputs.Fed(model.Graph).Where(input => texts.RoleOf(input) == TextRole.Cache).Select(PlaceOf)];
    }

    private static CacheInput PlaceOf(Value input) =>
        input.Name.Split('.') is [.., var layer, "key" or "value"] && int.TryParse(layer, out var index)
            ? new CacheInput(input, index, input.Name.EndsWith("key", StringComparison.Ordinal))
            : throw Refusal(input, "its name does not end in the layer and key or value");

    private static LortaException Refusal(Value input, string why) => AdapterErrors.NoCachePlace(input.Name, why);

    private sealed record CacheInput(Value Input, int Layer, bool IsKey);
}
