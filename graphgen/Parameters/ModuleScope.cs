using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>The PyTorch module that a node came from, as exporters write it.</summary>
internal static partial class ModuleScope
{
    private const string DynamoScopes = "pkg.torch.onnx.name_scopes";

    /// <summary>The module's path, or null where the node does not tell: from the dynamo exporter's notes, else from a TorchScript (or
    /// GenAI builder) node name.</summary>
    public static string? Of(Node node)
    {
        if (node.Metadata.ContainsKey(DynamoScopes)) return Noted(node);
        return node.Name.Split('/') is ["", .. var modules, _] && modules.Length > 0 ? string.Join('.', modules) : null;
    }

    /// <summary>The module's path as the dynamo exporter notes it beside the node; null without such a note.</summary>
    public static string? Noted(Node node) =>
        node.Metadata.TryGetValue(DynamoScopes, out var scopes)
            && PythonStrings().Matches(scopes) is [.., var module, _]
            && module.Groups["path"].Value is { Length: > 0 } path
            ? path
            : null;

    /// <summary>A module or parameter in PyTorch's own words, where the GenAI builder has others.</summary>
    public static string PyTorch(string path) =>
        BuilderAttention().Replace(BuilderFinalNorm().Replace(path, "model.norm"), "${layer}.self_attn.${part}");

    /// <summary>Whether a tensor's name is that of a PyTorch parameter.</summary>
    public static bool IsParameter(string name) => ParameterPath().IsMatch(name) && !BuilderName().IsMatch(name);

    /// <summary>Whether a tensor's name is a path of PyTorch modules to something that is no weight or bias.</summary>
    public static bool IsPath(string name) => AnyPath().IsMatch(name) && !WeightOrBias().IsMatch(name);

    /// <summary>The module that holds a parameter, or the one around a module.</summary>
    public static string Parent(string name) => name[..Math.Max(0, name.LastIndexOf('.'))];

    // A list as Python prints it: ['', 'model', 'model.layers.0']
    [GeneratedRegex("'(?<path>[^']*)'", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex PythonStrings();

    [GeneratedRegex(@"^model\.layers\.\d+\.final_norm(_layernorm)?\b", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex BuilderFinalNorm();

    [GeneratedRegex(
        @"^(?<layer>model\.layers\.\d+)\.attn\.(?<part>(q|k|v|o|qkv)_(proj|norm))",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex BuilderAttention();

    [GeneratedRegex(@"^\w+(\.\w+)*\.(weight|bias)$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex ParameterPath();

    [GeneratedRegex(@"\.(MatMul|Add)\.(weight|bias)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex BuilderName();

    [GeneratedRegex(@"^[A-Za-z_]\w*(\.\w+)+$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex AnyPath();

    [GeneratedRegex(@"\.(weight|bias)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex WeightOrBias();
}
