namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>Which versions of ONNX's own operator set are read. What documents and errors say of them is compared with this by a
/// test.</summary>
internal static class OnnxOpsets
{
    /// <summary>The oldest one.</summary>
    public const long Oldest = 7;

    /// <summary>The newest one, which is the newest that ONNX Runtime runs.</summary>
    public const long Newest = 26;

    /// <summary>The range, as texts say it.</summary>
    public static string Range => $"{Oldest} to {Newest}";

    private const string DefaultDomain = "ai.onnx";

    /// <summary>A domain as graphs hold it: ONNX's own one has two spellings, of which they hold the empty one.</summary>
    public static string DomainOf(string stored) => stored is DefaultDomain ? string.Empty : stored;

    /// <summary>An operator's one name.</summary>
    public static string OpOf(string domain, string opType) => DomainOf(domain) is { Length: > 0 } set ? $"{set}::{opType}" : opType;

    /// <summary>A domain as texts say it.</summary>
    public static string NameOf(string domain) => domain.Length == 0 ? DefaultDomain : domain;
}
