using System.Globalization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>Failures of checks of gradients.</summary>
internal static class GradcheckErrors
{
    public static LortaException NoDifferences(double loss) =>
        new(
            "LRT605",
            string.Create(CultureInfo.InvariantCulture, $"the loss of the check is {loss}."),
            "Choose a smaller --alpha or another --seed, or give a batch with labels.");
}
