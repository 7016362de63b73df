using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>Runs the same batches through one model after the other: of several models only one is open at a time.</summary>
/// <param name="evaluator">Runs the models.</param>
/// <param name="batches">Inputs by name; those that a model does not have are left out.</param>
/// <param name="mask">The input that says which positions count.</param>
internal sealed class ModelRunner(IGraphEvaluator evaluator, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches, string? mask)
{
    /// <summary>The batches that options name: given ones, those of a file, or seeded random tokens.</summary>
    /// <exception cref="LortaException">LRT207: a mask that one of the models reads as lengths and that is none.</exception>
    public static ModelRunner Of(IGraphEvaluator evaluator, VerifyOptions options, params ReadOnlySpan<OnnxModel> models)
    {
        var runner = Made(evaluator, options, models);
        foreach (var model in models)
        {
            var lengths = LengthMasks.Of(model);
            foreach (var batch in runner.Batches) lengths.Check(batch);
        }
        return runner;
    }

    private IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Batches => batches;

    private IProgress<WorkProgress>? Progress { get; init; }

    private static ModelRunner Made(IGraphEvaluator evaluator, VerifyOptions options, ReadOnlySpan<OnnxModel> models)
    {
        var mask = new TextInputs(models[^1]).MaskInput?.Name;
        var factors = FactorInputs.Of(evaluator, options.Adapter, models);
        if (options.Batches is { } given) return new(evaluator, factors.AddedTo(given), mask) { Progress = options.Progress };
        if (options.Inputs is { } file)
            return new(evaluator, factors.AddedTo([Safetensors.Load(file).Tensors]), mask) { Progress = options.Progress };
        var (rows, length) = (options.Samples, Calibration.LengthOf(models[^1], options));
        foreach (var model in models)
        {
            var sizes = FixedSizes.Of(model.Graph);   // one batch for all models: the smallest that one of them fixes
            (rows, length) = (Math.Min(rows, sizes.Rows ?? rows), Math.Min(length, sizes.Length ?? length));
        }
        var inputs = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        foreach (var model in models)
            foreach (var (name, tensor) in new SampleInputs(model, rows, length, options.Seed).Make(factors.Values)) inputs[name] = tensor;
        return new(evaluator, [inputs], mask) { Progress = options.Progress };
    }

    /// <summary>The outputs of a model.</summary>
    public ModelOutputs Run(OnnxModel model)
    {
        Progress?.Report(Of(model, 0));   // opening it takes long, too
        using var open = Open(model);
        return open.RunAll(done: count => Progress?.Report(Of(model, count)));
    }

    private WorkProgress Of(OnnxModel model, int done) => new($"batches run through {model.FileName}", done, batches.Count);

    /// <summary>Opens a model that is run several times.</summary>
    public OpenModel Open(OnnxModel model) => new(model, evaluator.Compile(model), batches, mask);
}

/// <summary>A model that is ready to run.</summary>
internal sealed class OpenModel(OnnxModel model, ICompiledGraph compiled, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches,
    string? mask) : IDisposable
{
    private readonly FixedSizes _sizes = FixedSizes.Of(model.Graph);

    /// <summary>The outputs for every batch.</summary>
    /// <param name="more">Further inputs.</param>
    /// <param name="keeps">Which outputs are kept; null = all.</param>
    /// <param name="done">Told how many batches are done.</param>
    public ModelOutputs RunAll(
        IReadOnlyDictionary<string, OnnxTensor>? more = null, Func<string, bool>? keeps = null, Action<int>? done = null)
    {
        var results = new List<(IReadOnlyDictionary<string, OnnxTensor>, OnnxTensor?)>();
        foreach (var batch in batches)
        {
            var outputs = Run(batch, more);
            if (keeps is not null) outputs = outputs.Where(output => keeps(output.Key)).ToDictionary(StringComparer.Ordinal);
            results.Add((outputs, MaskOf(batch)));
            done?.Invoke(results.Count);
        }
        return new ModelOutputs(model.Path, results);
    }

    /// <summary>The outputs for one batch, which a model of fixed sizes takes in several runs.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> batch,
        IReadOnlyDictionary<string, OnnxTensor>? more = null)
    {
        var runs = _sizes.Cut(batch, filler: 0);
        return runs.Join([.. runs.Inputs.Select(inputs =>
            compiled.Run(Wanted(inputs).Concat(more ?? new Dictionary<string, OnnxTensor>()).ToDictionary(StringComparer.Ordinal)))]);
    }

    /// <summary>Which positions of a batch count; null = all.</summary>
    public OnnxTensor? MaskOf(IReadOnlyDictionary<string, OnnxTensor> batch) => mask is null ? null : batch.GetValueOrDefault(mask);

    public void Dispose() => compiled.Dispose();

    private Dictionary<string, OnnxTensor> Wanted(IReadOnlyDictionary<string, OnnxTensor> inputs)
    {
        var text = new TextInputs(model);
        return TextInputs.Fed(model.Graph).ToDictionary(
            input => input.Name,
            input => inputs.GetValueOrDefault(input.Name) is { } given
                ? InputTypes.Converted(input.Name, given, input.Type)
                : Empty(input) ?? throw VerificationErrors.MissingInput(model.Path, input.Name),
            StringComparer.Ordinal);

        OnnxTensor? Empty(Value input) =>
            TextInputs.IsCache(input.Type, input.Shape?.Rank) && inputs.TryGetValue(TextInputs.Ids, out var ids)
                ? text.EmptyCache(input, ids.Dims[0])
                : null;
    }
}
