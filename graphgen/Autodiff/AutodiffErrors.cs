using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff;

/// <summary>What stands between a model and its gradients.</summary>
internal static class AutodiffErrors
{
    public static LortaException NoRule(Node node, string? reason) => new(
        "LRT401",
        $"{node} is between what is trained and the loss, and the operator {node.Op} has no gradient "
            + $"rule{(reason is null ? "" : $" ({reason})")}.",
        "Train only what comes after this node (a later layer, another target), or export the model without this operator.");

    public static LortaException FormNotSupported(Node node, string why) => new(
        "LRT402",
        $"{node} has no gradient in this form: {why}.",
        "Train only what comes after this node, or export the model with a plainer form of this operator.");

    public static LortaException OutputNotSupported(Node node, int output) => new(
        "LRT403",
        $"{node} has no gradient through its output {output}, on which the loss depends.",
        "Export the model so that only the first output of this node is used.");
}
