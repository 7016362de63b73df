using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Failures of hosts of ONNX Runtime Training.</summary>
internal static class OrtHostErrors
{
    public static LortaException NoTraining(Exception inner) =>
        new(
            "LRT575",
            "--runtime ort-training: this build has ONNX Runtime without its training part.",
            "Build with -p:OrtFlavor=Training, which takes the package Microsoft.ML.OnnxRuntime.Training, or use --runtime ort-session.",
            inner);

    public static LortaException NothingMoved() =>
        new(
            "LRT576",
            "ONNX Runtime Training made a step, but no trained tensor has moved.",
            "Use --runtime ort-session, and report this with the model.");

    public static LortaException Failed(string what, string reason, Exception? inner = null) =>
        new(
            "LRT577",
            $"{what} failed in ONNX Runtime Training ({reason.TrimEnd('.', ' ', '\n')}).",
            "Check that the batch fits the model; if it does, use --runtime ort-session and report this.",
            inner);

    public static LortaException OnlyCpu(string device) =>
        new(
            "LRT578",
            $"--runtime ort-training: computes on the CPU, not on '{device}'.",
            "Use --device cpu, or --runtime ort-session.")
        { IsUsage = true };

    public static LortaException NoMoments(long step, string tensor) =>
        new(
            "LRT582",
            $"The state after step {step} has no '{tensor}', without which ONNX Runtime Training would begin anew.",
            "Continue from a state that holds what the optimizer keeps, or start a new run from the adapter (adapter.from).");
}
