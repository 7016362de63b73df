using System.Globalization;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Failures of adapters: options, sites, files.</summary>
internal static class AdapterErrors
{
    private const int Named = 4;   // so many names in one sentence

    public static LortaException UnknownMethod(string method, IEnumerable<string> known) =>
        new(
            "LRT301",
            $"adapter.method: '{method}' is not known.",
            $"{Suggestion.Hint(method, known)}Choose one of {string.Join(", ", known)}.")
        { IsUsage = true };

    public static LortaException UnknownOption(string? method, string name, IEnumerable<string> known) =>
        new(
            "LRT302",
            $"adapter.options.{name}: {(method is null ? "no family has such an option" : $"{method} has no such option")}.",
            $"{Suggestion.Hint(name, known)}{(method is null ? "There are" : "It has")} {string.Join(", ", known)}.")
        { IsUsage = true };

    public static LortaException OptionValue(string method, string name, string value, string problem) =>
        new("LRT303", $"adapter.options.{name}: {method} does not take '{value}'.", $"It {problem}.") { IsUsage = true };

    public static LortaException UnknownTarget(string method, string target, IEnumerable<string> known) =>
        new(
            "LRT304",
            $"adapter.targets: '{target}' is not a target of {method}.",
            $"{FamilyTargets.HintFor(target, known)}Choose from {string.Join(", ", known)}.")
        { IsUsage = true };

    public static LortaException UnknownLayer(int layer, int layers) =>
        new("LRT305", $"adapter.layers: layer {layer} does not exist.", $"The model has layers 0 to {layers - 1}.") { IsUsage = true };

    public static LortaException OrientationDoesNotFit(
        string address, Orientation orientation, (int In, int Out) size, AdapterSites sites) =>
        new(
            "LRT306",
            $"{address}: "
                + (orientation == Orientation.InputHeads
                    ? "input-heads needs in = heads × head width and out"
                    : "output-heads needs out = heads × head width and in")
                + $" = model width, but the matrix is {size.In} → {size.Out} with {sites.Heads} heads of {sites.HeadWidth} "
                + $"and model width {sites.Width}.",
            "Choose the other orientation for this matrix or leave it out of the targets.")
        { IsUsage = true };

    public static LortaException FactorShape(string file, string name, string expected, string found) =>
        new("LRT308", $"{file}: '{name}' should be {expected} but is {found}.", "The adapter was made for another model, rank or targets.");

    public static LortaException FactorMissing(string file, string name) =>
        new(
            "LRT309",
            $"{file}: tensor '{name}' is missing.",
            "The adapter file is incomplete or was made with another method, rank or targets.");

    public static LortaException OtherArchitecture(string adapter, string model, string what) =>
        new(
            "LRT310",
            $"{adapter}: was trained on a different architecture than {model} ({what}).",
            "Use the model that the adapter was trained on.");

    public static LortaException OtherWeights(string adapter, string model, IReadOnlyList<(string Name, double Difference)> differences) =>
        new(
            "LRT311",
            $"{adapter}: was trained on different weights than {model} holds "
                + $"({string.Join(", ", differences.Take(Named).Select(Describe))}{More(differences.Count)}).",
            "Use the model that the adapter was trained on; into this one it may be folded already. If you know that it fits, pass "
                + "--allow-base.");

    public static LortaException HeldAlready(string adapter, string model) =>
        new(
            "LRT714",
            $"{adapter}: {model} holds this adapter already, as a side branch.",
            "Use the file without it, or the model that the adapter was trained on. To add it once more, pass --allow-base.");

    public static LortaException FactorsAreInputs(string model, string input) =>
        new(
            "LRT715",
            $"{model}: takes the factors of an adapter as inputs ('{input}'), which have no values of their own.",
            "Use the model that it was made from, with the adapter beside it.");

    public static LortaException NotFoldable(string method) =>
        new(
            "LRT312",
            $"{method} cannot be folded into weights.",
            "Keep the adapter next to the model (`lorta export --keep-base`, `lorta inject`).");

    public static LortaException BadConfig(string file, string why) =>
        new("LRT313", $"{file}: {why}.", "The file is damaged or from another tool.");

    public static LortaException OfPeft(string file) =>
        new(
            "LRT128",
            $"{file}: is of a PEFT adapter, which is not read here.",
            "Merge it into its model with PEFT (merge_and_unload) and export that model to ONNX, or train an adapter with a recipe of the "
                + "same settings (docs/from-peft.md).");

    public static LortaException OtherSize(AdapterSite site, int input, int output) =>
        new(
            "LRT315",
            $"{site.Address}: is {input} → {output}, but {site.In} → {site.Out} follows from the model's heads and width.",
            "Leave this layer or matrix out of the adapter.")
        { IsUsage = true };

    public static LortaException NoBranch(string address, Node node, string why) =>
        new(
            "LRT316",
            $"{address}: no side branch can be added at {node} ({why}).",
            "Fold the adapter instead (`lorta export`), or inject into an export that keeps this layer separate, in float32.");

    public static LortaException NoAttentionPlace(int layer, object node, string why) =>
        new(
            "LRT327",
            $"layers.{layer}: no keys and values can come before those of the sequence at {node} ({why}).",
            "Leave the layer out of `layers`, or choose a method that adapts linear layers.");

    public static LortaException NoDeployedPlace(int layer, Node node, string why) =>
        new(
            "LRT328",
            $"layers.{layer}: no keys and values can come before those of the sequence at {node} of the deployed file ({why}).",
            "Use an export that writes attention with products and a softmax; where an export has a key/value cache, "
                + "`lorta generate --adapter` begins with them as the cache.");

    public static LortaException NoCachePlace(string input, string why) =>
        new(
            "LRT329",
            $"the cache '{input}' cannot begin with the adapter's keys and values: {why}.",
            "Generate with an export without a key/value cache.");

    public static LortaException ScaleNotFinite(double alpha, double scale) =>
        new(
            "LRT317",
            string.Create(CultureInfo.InvariantCulture, $"adapter.alpha: {alpha} makes the scale {scale}."),
            "Give a finite number.")
        { IsUsage = true };

    public static LortaException NotFloat(string address, ElementType type) =>
        new(
            "LRT318",
            $"{address}: computes in {type.Display()}; training and exact comparison need float32.",
            "Use a float32 export of the model (16-bit storage behind Casts is fine); its adapter folds into the 16-bit file too.");

    public static LortaException InvalidOptions(IEnumerable<(string Key, string Text)> problems) =>
        new(
            "LRT319",
            $"{string.Join("; ", problems.Select(problem => $"adapter.{problem.Key}: {problem.Text}"))}.",
            "`lorta schema adapter` describes the options.")
        { IsUsage = true };

    public static LortaException HeadMapDoesNotFit(string matrix, IReadOnlyList<long> stated, int own, int heads) =>
        new(
            "LRT320",
            $"headMap.{matrix}: [{string.Join(", ", stated)}] does not name one of the rows 0 to {heads - 1} of C_H for each of the "
                + $"matrix's {own} heads.",
            "The file was made for another model.");

    public static LortaException NoHeads(string address, string method) =>
        new(
            "LRT324",
            $"{address}: {method} splits one side of a matrix by heads, and this matrix has none.",
            "Leave it out of the targets, or choose a family that adapts any linear layer, such as lora.")
        { IsUsage = true };

    public static LortaException SizeNotKnown(string address) =>
        new("LRT321", $"{address}: its width is not among the given sizes.", "Give the width of the MLP: --ffn N.") { IsUsage = true };

    public static LortaException ParametersNotKnown(string method) =>
        new(
            "LRT331",
            $"{method}: trains the model's own parameters, whose number does not follow from the given sizes.",
            "Give the model itself.")
        { IsUsage = true };

    public static LortaException NoOlderForm(string path, long opset, Node node) =>
        new(
            "LRT332",
            $"{path}: the adapter cannot be added next to a base of opset {opset}, which has no such {node.Op}.",
            "Fold the adapter (`lorta export` without `--keep-base`), or convert the model to opset 13 or newer.");

    public static LortaException UnknownTensors(string file, IReadOnlyList<string> names) =>
        BadConfig(
            file,
            $"holds {string.Join(", ", names.Take(Named).Select(name => $"'{name}'"))}{More(names.Count)}, which {Adapter.ConfigFile} "
                + "does not name: its method, targets and layers have no such tensor");

    public static LortaException FactorsWithoutPlace(string file, IReadOnlyList<string> names) =>
        new(
            "LRT323",
            $"{file}: holds {string.Join(", ", names.Take(Named).Select(name => $"'{name}'"))}{More(names.Count)}, which the chosen "
                + "method, targets and layers have no place for.",
            "Choose the method, targets and layers that the values were made for.")
        { IsUsage = true };

    public static LortaException NoAdapter(string path) =>
        new(
            "LRT325",
            $"{path}: holds no adapter.",
            "Name an adapter folder, a run folder, its folder of checkpoints or one of these.");

    public static LortaException StatedOtherwise(string file, string stated, string given) =>
        new(
            "LRT326",
            $"{file}: its values were made for {stated}, and {given} is given.",
            "Give those, or --adapter with the adapter's folder, which needs neither.")
        { IsUsage = true };

    public static LortaException OtherHash(string file, string stated) =>
        BadConfig(file, $"is not the file that {Adapter.ConfigFile} was written for (its sha256 is not {stated})");

    /// <summary>A file that says two things: one by itself, one by its options and the model.</summary>
    public static LortaException OtherThanFollows(string file, string what, object? stated, object follows) =>
        BadConfig(file, $"{what} is {Show(stated)}, but {Show(follows)} follows from its options and the model");

    private static string Describe((string Name, double Difference) found) =>
        double.IsInfinity(found.Difference)
            ? $"{found.Name} has no sketch"
            : string.Create(CultureInfo.InvariantCulture, $"{found.Name} differs by {found.Difference:g3}");

    private static string More(int count) => count > Named ? $" and {count - Named} more" : string.Empty;

    private static string Show(object? value) => value switch
    {
        null => "missing",
        IEnumerable<long> rows => $"[{string.Join(", ", rows)}]",
        Orientation orientation => orientation == Orientation.InputHeads ? "input-heads" : "output-heads",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>An adapter, or a method, of which the changes are not beside the model but in it.</summary>
    public static LortaException TrainedParameters(string adapter, string parameter) =>
        new(
            "LRT322",
            $"{adapter}: trains parameters of the model itself ('{parameter}'), which no side branch carries.",
            "Use a model that they are written into (`lorta export`; where nothing else is trained, without `--keep-base`).");
}
