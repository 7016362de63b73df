using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verification;

/// <summary>Runs the same batches through one model after the other: of several models only one is open at a time.</summary>
/// <param name="evaluator">Runs the models.</param>
/// <param name="batches">Inputs by name; those that a model does not have are left out.</param>
/// <param name="mask">The input that says which positions count.</param>
internal sealed class ModelRunner(IGraphEvaluator evaluator, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> batches, string? mask)
{
    /// <summary>The batches that options name: given ones, those of a file, or seeded random tokens.</summary>
    /// <exception cref="LortaException">LRT207: a mask that one of the models reads as lengths and that is none.</exception>
    public static ModelRunner Of(IGraphEvaluator evaluator, VerifyOptions options, params ReadOnlySpan<Model> models)
    {
        var runner = Made(evaluator, options, models);
        foreach (var model in models)
        {
            var lengths = LengthMasks.Of(model);
            foreach (var batch in runner.Batches) lengths.Check(batch);
        }
        return runner;
    }

    private IReadOnlyList<IReadOnlyDictionary<string, Tensor>> Batches => batches;

    private static ModelRunner Made(IGraphEvaluator evaluator, VerifyOptions options, ReadOnlySpan<Model> models)
    {
        var mask = SampleInputs.MaskOf(models[^1]);
        if (options.Batches is { } given) return new(evaluator, given, mask);
        if (options.Inputs is { } file) return new(evaluator, [Safetensors.Load(file).Tensors], mask);
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var model in models)
            foreach (var (name, tensor) in new SampleInputs(model, options.Samples, options.Length, options.Seed).Make()) inputs[name] = tensor;
        return new(evaluator, [inputs], mask);
    }

    /// <summary>The outputs of a model.</summary>
    public ModelOutputs Run(Model model) => Run(model, [new Dictionary<string, Tensor>()])[0];

    /// <summary>The outputs of a model under each of several further sets of inputs.</summary>
    public IReadOnlyList<ModelOutputs> Run(Model model, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> settings)
    {
        var fed = batches.Select(batch => Wanted(model, batch)).ToList();
        using var compiled = evaluator.Compile(model);
        return [.. settings.Select(more => new ModelOutputs(model.Path, [.. fed.Zip(batches, (inputs, batch) => (compiled.Run(inputs.Concat(more).ToDictionary(StringComparer.Ordinal)), mask is null ? null : batch.GetValueOrDefault(mask)))]))];
    }

    private static Dictionary<string, Tensor> Wanted(Model model, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var caches = new EmptyCache(model);
        return model.Graph.Inputs.Where(input => input.Constant is null).ToDictionary(
            input => input.Name,
            input => inputs.GetValueOrDefault(input.Name) is { } given ? InputTypes.Converted(input.Name, given, input.Type) : Empty(input) ?? throw VerificationErrors.MissingInput(model.Path, input.Name),
            StringComparer.Ordinal);

        Tensor? Empty(Value input) => EmptyCache.Is(input) && inputs.TryGetValue("input_ids", out var ids) ? caches.For(input, ids.Dims[0]) : null;
    }
}
