using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>What a file is fed that takes an adapter's factors as inputs.</summary>
/// <param name="Values">The factors of the adapter that is given, by input; none where no file takes any.</param>
internal sealed record FactorInputs(IReadOnlyDictionary<string, OnnxTensor> Values)
{
    /// <summary>The factors of an adapter, where one of the models takes such inputs and they are of its sizes.</summary>
    /// <param name="evaluator">Has the families to choose from.</param>
    /// <param name="adapter">The adapter; null = none is given.</param>
    /// <param name="models">The models that run; the last one is the base.</param>
    public static FactorInputs Of(IGraphEvaluator evaluator, Adapter? adapter, ReadOnlySpan<OnnxModel> models)
    {
        var values = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        if (adapter is null) return new(values);
        IReadOnlyDictionary<string, OnnxTensor>? factors = null;
        foreach (var model in models)
            foreach (var input in TextInputs.Fed(model.Graph))
                if (TensorName.Parse(input.Name) is { Kind: TensorKind.Factor } name
                    && (factors ??= FactorsOf(models[^1])).GetValueOrDefault(name.Name) is { } tensor
                    && Shape.Of(tensor).Equals(input.Shape))
                    values[input.Name] = tensor;
        return new(values);

        IReadOnlyDictionary<string, OnnxTensor> FactorsOf(OnnxModel model) =>
            adapter.FactorsOf(AdapterPlan.Of(UnderstoodModel.Of(model), adapter.Config.AdapterOptions, evaluator.Catalog));
    }

    /// <summary>Batches with the factors added to each, where they do not say otherwise.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> AddedTo(IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches) =>
        Values.Count == 0 ? batches : [.. batches.Select(batch =>
        {
            var all = new Dictionary<string, OnnxTensor>(Values, StringComparer.Ordinal);
            foreach (var (name, tensor) in batch) all[name] = tensor;
            return all;
        })];
}
