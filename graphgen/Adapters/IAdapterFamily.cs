using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A method of parameter-efficient fine-tuning: its factors, what they do to a linear layer, and how they fold into its
/// weight.</summary>
/// <remarks>Everything else (names, files, freezing, gradients, counting, tables, tests) is derived from these members. Emit and Delta
/// share their parts, so that folding cannot drift from training.</remarks>
public interface IAdapterFamily
{
    /// <summary>Name in recipes and adapter files, for instance <c>lorta</c>.</summary>
    string Method { get; }

    /// <summary>The number that updates are multiplied by.</summary>
    double Scale { get; }

    /// <summary>The factors for these sites.</summary>
    IReadOnlyList<Factor> Factors(AdapterSites sites);

    /// <summary>The adapted output.</summary>
    /// <param name="site">The linear layer.</param>
    /// <param name="x">Its input, [.., in].</param>
    /// <param name="y">Its output, bias included, [.., out].</param>
    /// <param name="factors">The factors.</param>
    /// <returns>[.., out].</returns>
    Expr Emit(AdapterSite site, Expr x, Expr y, FactorSet factors);

    /// <summary>ΔW, [in, out], of an additive family; null where the change is no sum.</summary>
    Expr? Delta(AdapterSite site, FactorSet factors);

    /// <summary>The folded weight [in, out] and bias [out]; null = this family cannot be folded.</summary>
    (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet factors) =>
        Delta(site, factors) is { } delta ? (weight + delta, bias) : null;

    /// <summary>A scalar that is added to the loss; null = none.</summary>
    Expr? Penalty(AdapterSites sites, FactorSet factors) => null;

    /// <summary>Changes factors after an optimizer step, given the gradients that made it (rank allocation); null = nothing to
    /// do.</summary>
    IAfterStep? AfterStep(AdapterSites sites) => null;
}

/// <summary>What a family does to its factors after each optimizer step.</summary>
public interface IAfterStep
{
    /// <summary>Gives new values for the factors that change; the others stay.</summary>
    /// <param name="step">The step just taken, 1, 2, ….</param>
    /// <param name="factors">Factors after the step.</param>
    /// <param name="gradients">The gradients that produced it, after clipping.</param>
    IReadOnlyDictionary<string, OnnxTensor> Apply(
        long step, IReadOnlyDictionary<string, OnnxTensor> factors, IReadOnlyDictionary<string, OnnxTensor> gradients);
}
