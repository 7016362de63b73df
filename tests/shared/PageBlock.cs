namespace LoRTA.Onnx.Tests.Shared;

/// <summary>A fenced block of a page of the documentation.</summary>
/// <param name="Language">What follows the fence: <c>sh</c>, <c>csharp</c>, …</param>
/// <param name="Before">The last line of text above the block; empty where there is none.</param>
/// <param name="Lines">Its lines.</param>
internal sealed record PageBlock(string Language, string Before, IReadOnlyList<string> Lines)
{
    private const string Fence = "```";

    /// <summary>The blocks of a page, in order.</summary>
    /// <param name="page">Its path in the repository, such as <c>docs/deploying.md</c>.</param>
    public static IReadOnlyList<PageBlock> Of(string page)
    {
        var (blocks, before) = (new List<PageBlock>(), string.Empty);
        List<string>? lines = null;
        var language = string.Empty;
        foreach (var line in File.ReadLines(Path.Combine(Fixtures.Repository, page)))
        {
            var isFence = line.StartsWith(Fence, StringComparison.Ordinal);
            if (lines is null)
            {
                if (isFence) (lines, language) = ([], line[Fence.Length..]);
                else if (line.Length > 0) before = line;
                continue;
            }
            if (!isFence)
            {
                lines.Add(line);
                continue;
            }
            blocks.Add(new(language, before, lines));
            (lines, before) = (null, string.Empty);
        }
        return blocks;
    }

    /// <summary>Whether the block is a method of a source file of the tests, with using directives of that file in front.</summary>
    /// <param name="source">Path of the source file in the repository; the method, or a class, stands between the lines <c>// page</c> and <c>// end</c>.</param>
    public bool IsMethodOf(string source)
    {
        var all = File.ReadAllLines(Path.Combine(Fixtures.Repository, source));
        var method = all.SkipWhile(line => line.Trim() != "// page").Skip(1).TakeWhile(line => line.Trim() != "// end").ToList();
        var indent = method.Count == 0 ? 0 : method[0].Length - method[0].TrimStart().Length;
        var expected = method.Select(line => line.Length == 0 ? line : Shown(line[indent..]));
        var usings = Lines.TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';')).ToList();
        return method.Count > 0 && usings.All(all.Contains) && Lines.Skip(usings.Count).SkipWhile(line => line.Length == 0).SequenceEqual(expected, StringComparer.Ordinal);
    }

    private static string Shown(string line) => line.StartsWith("private static ", StringComparison.Ordinal) ? line["private ".Length..] : line;
}
