namespace LoRTA.Onnx.GraphGen;

/// <summary>What is public because extensions and the command need it, but may change or go in any release: the graph, gradient rules,
/// helpers of files and messages. Whoever uses it says so by <c>&lt;NoWarn&gt;LRTX01&lt;/NoWarn&gt;</c>.</summary>
internal static class Unsettled
{
    /// <summary>The compiler's diagnostic.</summary>
    public const string Id = "LRTX01";
}
