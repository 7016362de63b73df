using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>Failures of comparing two models.</summary>
[Experimental(Unsettled.Id)]
public static class VerificationErrors
{
    internal static LortaException UnknownInput(string model, string input) =>
        new(
            "LRT704",
            TensorName.Parse(input).Kind == TensorKind.Factor
                ? $"{model}: takes the factors of an adapter as inputs ('{input}'), and no adapter that has such a one is given."
                : $"{model}: the input '{input}' is not recognised.",
            "Give its values with --inputs FILE.safetensors; those of an adapter's factors with --adapter DIR.");

    internal static LortaException NoCommonOutput(string a, string b) =>
        new("LRT705", $"{a} and {b} have no output of the same name and shape.", "Compare two files of the same model and task.");

    /// <summary>LRT709: a low-bit file keeps less than half of an adapter's effect.</summary>
    /// <param name="file">The file.</param>
    /// <param name="kept">The share that is left, <see cref="VerifyResult.EffectKept"/>.</param>
    /// <param name="form">What the weights are stored in.</param>
    public static LortaException EffectLost(string file, double kept, string form) =>
        new(
            "LRT709",
            $"{file}: {(kept > 0 ? FormattableString.Invariant($"only {Math.Floor(kept * 100):0} %") : "nothing")} of the adapter's effect "
                + $"on the outputs is left in weights of {form}.",
            "Use --keep-base, which keeps all of it next to the stored weights, or accept the loss with --allow-rounding.");

    /// <summary>LRT711: two models differ by more than the tolerance.</summary>
    /// <param name="a">The first.</param>
    /// <param name="b">The second.</param>
    /// <param name="result">The comparison.</param>
    public static LortaException Differ(string a, string b, VerifyResult result) =>
        new(
            "LRT711",
            result.EffectKept is { } kept and < VerifyResult.LeastEffect
                ? FormattableString.Invariant(
                    $"{b}: {Math.Max(0, Math.Floor(kept * 100)):0} % of the adapter's effect on the outputs is left, less than half.")
                : $"{a} and {b} differ by {Share(result.MaxRelDiff)} relative to the largest output, more than {Share(result.Tolerance)}.",
            "If one of them has an adapter, name it with --adapter DIR. Compare on your own inputs with --data RECIPE or --inputs "
                + "FILE.safetensors. Accept the difference with --tolerance T. `lorta verify --help` describes the comparison.");

    private static string Share(double value) =>
        value.ToString(value is >= 0.01 and < 1e6 ? "0.##" : "0.##e0", CultureInfo.InvariantCulture);

    internal static LortaException MissingInput(string model, string input) =>
        new(
            "LRT706",
            $"{model}: takes the input '{input}', which is not among those given.",
            "Add it, or omit --inputs to use random tokens.");
}
