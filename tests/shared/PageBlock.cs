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
        var usings = Lines.TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';')).ToList();
        var shown = Lines.Skip(usings.Count).SkipWhile(line => line.Length == 0).ToList();
        return usings.All(all.Contains) && Methods(all).Any(method => method.SequenceEqual(shown, StringComparer.Ordinal));
    }

    private static IEnumerable<IEnumerable<string>> Methods(string[] lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() != "// page") continue;
            var method = lines.Skip(i + 1).TakeWhile(line => line.Trim() != "// end").ToList();
            var indent = method[0].Length - method[0].TrimStart().Length;
            yield return method.Select(line => line.Length == 0 ? line : Shown(line[indent..]));
        }
    }

    private static string Shown(string line) => line.StartsWith("private static ", StringComparison.Ordinal) ? line["private ".Length..] : line;
}
