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

    public static LortaException Wrong(string model, string reference, IEnumerable<(string Name, double GradRelDiff)> factors)
    {
        var (name, difference) = factors.MaxBy(factor => factor.GradRelDiff);
        return new(
            "LRT606",
            FormattableString.Invariant($"{model}: gradients, or what is made of them, differ from {reference}; the largest difference, ")
                + FormattableString.Invariant($"{difference:0.##e0}, is that of {name}."),
            "This is a defect of lorta, or the reference belongs to another model: please report it with the command.");
    }
}
