using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Failures of making the training copy.</summary>
internal static class CanonicalErrors
{
    public static LortaException OperatorNotSupported(string path, Node node, string why) =>
        new("LRT203", $"{path}: {node}: {why}.", $"Export the model at another opset from {OnnxOpsets.Range}, without control flow.");

    public static LortaException BranchNotKnown(string path, Node node, string condition) =>
        new(
            "LRT205",
            $"{path}: {node} takes one of two branches depending on '{condition}', which is known only when the model runs.",
            "If the file holds a decoder with and without a cache (decoder_model_merged.onnx), use the one without (decoder_model.onnx); "
                + "otherwise export the model with fixed sizes, so that the condition is a constant.");

    public static LortaException FunctionNotInlined(string path, Node node, string why) =>
        new(
            "LRT206",
            $"{path}: {node} is a function of the model that cannot be inlined: {why}.",
            "Save the model through ONNX Runtime's basic optimisation, which inlines functions, or export it at one opset.");
}
