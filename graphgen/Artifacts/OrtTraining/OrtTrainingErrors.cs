using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>What ONNX Runtime Training cannot be given.</summary>
internal static class OrtTrainingErrors
{
    // Of these sentences, each command shows those whose option it has.
    private const string PortableInstead = "Use --dialect portable. Use --runtime ort-session.";

    public static LortaException ReservedName(string kind, string name, string reserved) =>
        new(
            "LRT570",
            $"The model's {kind} '{name}' ends in '{reserved}', by which ONNX Runtime Training recognises its own.",
            $"Rename it. {PortableInstead}");

    public static LortaException Dropout(double probability) =>
        new(
            "LRT571",
            $"Dropout of {probability} needs a mask for every step, which a host of ONNX Runtime Training does not make.",
            "Train without dropout, or with `lorta train`, which makes the masks.");

    public static LortaException SeveralDecays(TrainedTensor first, TrainedTensor other) =>
        new(
            "LRT573",
            $"ONNX Runtime Training has one weight decay for all, but '{other.Name}' would shrink at another rate than '{first.Name}'.",
            $"Make learning rate times weight decay the same in all groups, for instance 0. {PortableInstead}");

    public static LortaException NoDecay(string optimizer) =>
        new(
            "LRT581",
            $"ONNX Runtime Training has no weight decay for the optimizer '{optimizer}'.",
            $"Set weightDecay to 0, or use the optimizer adamw. {PortableInstead}");

    public static LortaException YoungOperator(Node node, string why) =>
        new(
            "LRT574",
            $"{node} is younger than ONNX Runtime Training 1.19.2, and {why}, so it cannot be written in older operators.",
            PortableInstead);

    public static LortaException OtherCheckpoint(string file, string difference) =>
        new(
            "LRT579",
            $"{file}: is no checkpoint of these artifacts ({difference}).",
            "Name the artifacts that the training began with by --artifacts.");

    public static LortaException OtherBuffer(string file, long found, long needed) =>
        new(
            "LRT580",
            $"{file}: is no checkpoint, and as a buffer of parameters it should have {needed} bytes, but has {found}.",
            "Save the trained parameters only, as float32, and name the artifacts that the training began with by --artifacts.");
}
