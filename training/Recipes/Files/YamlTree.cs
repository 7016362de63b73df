using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>YAML text as a tree whose size, depth and aliases are limited while it is read.</summary>
internal static class YamlTree
{
    /// <summary>The documents of a text.</summary>
    /// <exception cref="YamlException">It is not YAML, or larger than any recipe.</exception>
    public static IList<YamlDocument> Read(TextReader text)
    {
        var scanner = new Scanner(text);
        try
        {
            var stream = new YamlStream();
            stream.Load(new LimitedParser(new Parser(scanner)));
            return stream.Documents;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or IndexOutOfRangeException
            or OverflowException or NullReferenceException or InvalidCastException or KeyNotFoundException)
        {
            var here = scanner.CurrentPosition;
            throw new YamlException(here, here, "the text is not YAML", e);   // the library's scanner fails in its own ways
        }
    }
}
