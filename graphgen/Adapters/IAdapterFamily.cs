using System.Collections.ObjectModel;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A method of parameter-efficient fine-tuning: where it acts, its factors, what they do to a linear layer, and how they fold into
/// its weight.</summary>
/// <remarks>Everything else (names, files, freezing, gradients, counting, tables, tests) is derived from these members. An additive family
/// states <see cref="AsLora"/> alone; the others follow from it. Emit and Fold share their parts, so that folding cannot drift from
/// training.</remarks>
public interface IAdapterFamily
{
    /// <summary>Name in recipes and adapter files, for instance <c>lorta</c>.</summary>
    string Method { get; }

    /// <summary>What it does to a layer, in a line, for tables: <c>ΔW = (α/r)·A·Bᵀ</c>.</summary>
    string Formula => string.Empty;

    /// <summary>What the number of its parameters must be read with, for tables; null = nothing.</summary>
    string? Remark => null;

    /// <summary>The strength of the adapter, the default of the graph's input <c>scale</c>: α/r; 1 where the family has none.</summary>
    double Scale => 1;

    /// <summary>Whether rank and α mean something to the family; where not, its files do not state them.</summary>
    bool HasRank => true;

    /// <summary>Whether there is an input that <c>dropout</c> can drop elements of; where not, asking for dropout is an error.</summary>
    bool HasDropout => !Targets.AreParameters && !Targets.AreAttention;

    /// <summary>Whether sites share factors, so that all of them have the same rank.</summary>
    bool SharesRank => false;

    /// <summary>The names of its places in recipes, and those that are adapted where a recipe names none.</summary>
    FamilyTargets Targets => FamilyTargets.LinearLayers;

    /// <summary>The factors for these sites.</summary>
    IReadOnlyList<Factor> Factors(AdapterSites sites);

    /// <summary>The adapted output of a linear layer, [.., out]. At scale 0 it is y.</summary>
    /// <param name="at">The layer: x, y, and what else can be asked of it.</param>
    /// <param name="factors">The factors.</param>
    Expr Emit(AdapterPoint at, FactorSet factors) =>
        AsLora(at.Site, factors) is var (a, b) ? at.Y + at.X.MatMul(a).MatMul(b.T) : at.Y;

    /// <summary>What comes before the keys and values of the sequence in the attention of a layer, for families whose
    /// <see cref="Targets"/> are attention; null = nothing. At scale 0 it is not there.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="factors">The factors.</param>
    PrecedingKeys? Preceding(int layer, FactorSet factors) => null;

    /// <summary>Options that follow from the model where nobody gives them: the adapter's file states them.</summary>
    IReadOnlyDictionary<string, string> OptionsFor(AdapterSites sites) => ReadOnlyDictionary<string, string>.Empty;

    /// <summary>A [in, r] and B [out, r] with ΔW = A·Bᵀ, scale included, of an additive family; null where the change is no such
    /// product.</summary>
    (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet factors) => null;

    /// <summary>ΔW, [in, out], of an additive family; null where the change is no sum.</summary>
    Expr? Delta(AdapterSite site, FactorSet factors) => AsLora(site, factors) is var (a, b) ? a.MatMul(b.T) : null;

    /// <summary>The folded weight [in, out] and bias [out]; null = this family cannot be folded.</summary>
    /// <param name="site">The linear layer.</param>
    /// <param name="weight">W, [in, out].</param>
    /// <param name="bias">b, [out]; null where the layer has none.</param>
    /// <param name="factors">The factors.</param>
    (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet factors) =>
        Delta(site, factors) is { } delta ? (weight + delta, bias) : null;

    /// <summary>A scalar that is added to the loss that is trained, never to one that is measured; null = none.</summary>
    Expr? Penalty(AdapterSites sites, FactorSet factors) => null;

    /// <summary>Changes factors after each optimizer step, given the gradients that made it (rank allocation); null = nothing to
    /// do.</summary>
    /// <param name="sites">The adapted layers.</param>
    /// <param name="totalSteps">Steps of the run.</param>
    IAfterStep? AfterStep(AdapterSites sites, long totalSteps) => null;
}
