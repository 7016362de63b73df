using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verification;

/// <summary>Runs the same inputs through two models and compares what comes out, masked positions left out.</summary>
/// <param name="evaluator">Runs the models.</param>
public sealed class Verifier(IGraphEvaluator evaluator)
{
    /// <summary>Compares two models. Where one rounds activations when it runs, the verdict is on the canonical graphs of both, which do not.</summary>
    /// <exception cref="LortaException">LRT704 … LRT706: inputs or outputs do not fit.</exception>
    public VerifyResult Compare(Model a, Model b, VerifyOptions options)
    {
        var inputs = Inputs(a, b, options);
        var deployed = Difference(a, b, inputs);
        var (difference, size) = ActivationRounding.IsIn(a) || ActivationRounding.IsIn(b) ? Difference(CanonicalModel.Of(a).Model, CanonicalModel.Of(b).Model, inputs) : deployed;
        var relative = difference / Math.Max(size, double.Epsilon);
        return new VerifyResult(difference, relative, deployed.Difference, options.Tolerance, relative <= options.Tolerance);
    }

    // Largest |a − b| over all common outputs, and largest |a|.
    private (double Difference, double Size) Difference(Model a, Model b, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var (first, second) = (evaluator.Run(a, Wanted(a, inputs)), evaluator.Run(b, Wanted(b, inputs)));
        var common = first.Keys.Where(name => second.TryGetValue(name, out var other) && first[name].Type.IsFloat() && first[name].Rank is 2 or 3 && first[name].Dims.SequenceEqual(other.Dims)).ToList();
        if (common.Count == 0) throw VerificationErrors.NoCommonOutput(a.Path, b.Path);
        var (difference, size) = (0.0, 0.0);
        foreach (var name in common)
        {
            var (delta, scale) = Differences(first[name], second[name], inputs.GetValueOrDefault("attention_mask"));
            (difference, size) = (Math.Max(difference, delta), Math.Max(size, scale));
        }
        return (difference, size);
    }

    private static IReadOnlyDictionary<string, Tensor> Inputs(Model a, Model b, VerifyOptions options)
    {
        if (options.Inputs is { } file) return Safetensors.Load(file).Tensors;
        var inputs = SampleInputs.For(b, options.Samples, options.Length, options.Seed).ToDictionary(StringComparer.Ordinal);
        foreach (var (name, tensor) in SampleInputs.For(a, options.Samples, options.Length, options.Seed)) inputs[name] = tensor;
        return inputs;
    }

    private static Dictionary<string, Tensor> Wanted(Model model, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var caches = new EmptyCache(model);
        return model.Graph.Inputs.Where(input => input.Constant is null).ToDictionary(
            input => input.Name,
            input => inputs.GetValueOrDefault(input.Name) is { } given ? As(given, input.Type) : Empty(input) ?? throw VerificationErrors.MissingInput(model.Path, input.Name),
            StringComparer.Ordinal);

        Tensor? Empty(Value input) => EmptyCache.Is(input) && inputs.TryGetValue("input_ids", out var ids) ? caches.For(input, ids.Dims[0]) : null;
    }

    // The canonical graph of a 16-bit file takes and gives float32.
    private static Tensor As(Tensor given, ElementType type) =>
        given.Type.IsFloat() && given.Type != type ? Tensor.FromBytes(type, [.. given.Dims], StoredMatrix.Round(given.ToFloats(), type)) : given;

    // [B, S, ..] is compared where the mask is 1, [B, ..] everywhere.
    private static (double Difference, double Size) Differences(Tensor a, Tensor b, Tensor? mask)
    {
        var (x, y) = (a.ToFloats(), b.ToFloats());
        var kept = a.Rank == 3 && mask is not null && mask.Dims.SequenceEqual(a.Dims.Take(2)) ? mask.ToLongs() : null;
        var width = kept is null ? x.Length : (int)a.Dims[2];
        var (difference, size) = (0.0, 0.0);
        for (var row = 0; row * width < x.Length; row++)
        {
            if (kept is not null && kept[row] == 0) continue;
            for (var i = row * width; i < (row + 1) * width; i++)
            {
                if (float.IsFinite(x[i])) size = Math.Max(size, Math.Abs(x[i]));
                if (x[i].Equals(y[i])) continue;   // infinities and NaN included
                difference = float.IsFinite(x[i]) && float.IsFinite(y[i]) ? Math.Max(difference, Math.Abs((double)x[i] - y[i])) : double.PositiveInfinity;
            }
        }
        return (difference, size);
    }
}
