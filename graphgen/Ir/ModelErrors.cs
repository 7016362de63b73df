namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>Failures of ONNX files: what they hold and how they hang together.</summary>
internal static class ModelErrors
{
    public static LortaException NotOnnx(string path, string why, Exception? inner = null) =>
        new(
            "LRT111",
            $"{path}: is not a readable ONNX model ({why}).",
            "Check that the file is complete; download or export it again.",
            inner);

    public static LortaException NoModel(string folder) =>
        new(
            "LRT112",
            $"{folder}: holds no .onnx file.",
            "Name the model file, or a folder that holds exactly one. A run or an adapter goes to --adapter.")
        { IsUsage = true };

    public static LortaException SeveralModels(string folder, IEnumerable<string> names) =>
        new("LRT113", $"{folder}: holds several models ({string.Join(", ", names)}).", "Name one of them.") { IsUsage = true };

    public static LortaException OpsetNotSupported(string path, string domain, long version, string range) =>
        new(
            "LRT114",
            $"{path}: uses opset {version} of {OnnxOpsets.NameOf(domain)}; {range} are supported.",
            "Convert the model to a supported opset or export it again.");

    public static LortaException ExternalPathLeavesFolder(string path, string tensor, string location) =>
        new(
            "LRT115",
            $"{path}: tensor '{tensor}' points to '{location}', outside the model's folder.",
            "Such a file may read what it should not; keep the data file next to the model.");

    public static LortaException MissingExternalFile(string path, string tensor, string location) =>
        new("LRT116", $"{path}: tensor '{tensor}' is in '{location}', which is missing.", "Copy the data file into the model's folder.");

    public static LortaException TensorSize(string path, string tensor, string expected, long found) =>
        new(
            "LRT117",
            $"{path}: tensor '{tensor}' should be {expected} but has {found} bytes of data.",
            "The file is damaged; download or export it again.");

    public static LortaException UndefinedValue(string path, string node, string value) =>
        new("LRT118", $"{path}: node '{node}' reads '{value}', which nothing defines.", "The graph is damaged; export it again.");

    public static LortaException DefinedTwice(string path, string value) =>
        new("LRT119", $"{path}: '{value}' is defined twice.", "The graph is damaged; export it again.");

    public static LortaException Cycle(Node node) =>
        new("LRT120", $"{node} depends on its own output.", "The graph is damaged; export it again.");

    public static LortaException CannotInfer(Node node, string why) =>
        new("LRT121", $"{node}: {why}.", "The graph is inconsistent here; export it again or report the exporter.");

    public static LortaException SizeOverflow(Node node) => CannotInfer(node, "its sizes multiply to more than 64 bits count");

    public static LortaException UnknownType(string path, string tensor, int type) =>
        new(
            "LRT130",
            $"{path}: tensor '{tensor}' is of the element type {type}, which is not known.",
            "Export the model with element types of opset 21.");

    public static LortaException AttributeKind(Node node, string attribute, AttrKind found, AttrKind wanted) =>
        new(
            "LRT131",
            $"{node}: its attribute '{attribute}' is of the kind {Show(found)}, not {Show(wanted)}.",
            "The graph is damaged; export it again.");

    public static LortaException AttributeTwice(string path, string node, string attribute) =>
        new("LRT132", $"{path}: node '{node}' has the attribute '{attribute}' twice.", "The graph is damaged; export it again.");

    public static LortaException MissingOperand(string path, string node, string what) =>
        new("LRT133", $"{path}: node '{node}' lacks {what}.", "The graph is damaged; export it again.");

    public static LortaException UnknownSize(Value value, string size) =>
        new(
            "LRT135",
            $"{value.Name}: its {size} is not known, and no earlier node determines it.",
            "Export the model with shapes (`onnx.shape_inference`, or an exporter that writes them), "
                + "or without the operator that hides them.");

    private static string Show(AttrKind kind) => kind == AttrKind.Opaque ? "graph or type" : kind.ToString().ToLowerInvariant();
}
