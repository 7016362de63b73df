using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Failures of folding.</summary>
internal static class FoldingErrors
{
    public static LortaException Overflow(string address, float value, string form) =>
        new("LRT703", FormattableString.Invariant($"{address}: the folded weight holds {value:G4}, which {form} cannot store."), "Use --widen where the file casts its weights, --keep-base, or a smaller scale.");
}
