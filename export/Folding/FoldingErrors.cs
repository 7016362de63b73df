using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Failures of folding.</summary>
internal static class FoldingErrors
{
    public static LortaException NotFloat(string name, string initializer, ElementType type) =>
        new(
            "LRT707",
            $"{name}: was trained alongside the adapter, but the file stores it as {type.Display()} ('{initializer}').",
            "Fold into an export that stores it in float, or train without it.");

    public static LortaException Merged(string name, string initializer) =>
        new(
            "LRT708",
            $"{name}: was trained alongside the adapter, but the file stores it in one tensor with other parameters, '{initializer}', "
                + "and its nodes do not show which part is which.",
            "Fold into the export that was trained on.");

    public static LortaException BiasNotStored(string address) =>
        new(
            "LRT710",
            $"{address}: the adapter changes its bias, which the file does not keep as numbers of its own.",
            "Fold into another export of the model. With --keep-base the adapter stays next to the weights.");

    public static LortaException Overflow(string address, float value, string form) =>
        new(
            "LRT703",
            FormattableString.Invariant($"{address}: the exported weight holds {value:G4}, which {form} cannot store."),
            "Use a smaller scale. Where the file casts its weights, --widen stores them in float32. With --keep-base they stay as they "
                + "are.");
}
