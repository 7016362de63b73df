using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Holds <c>docs/errors.md</c> against the sources.</summary>
internal sealed partial class ErrorCodesTests
{
    // The area of a code by its first digit, as the headings of the document name them.
    private static readonly string[] Areas = ["Files and models", "Canonical graph and discovery", "Adapters", "Gradients and losses", "Data, recipes, checkpoints", "Training and the runtime", "Export and verification", "Command line"];

    private static readonly string[] Lines = File.ReadAllLines(Repository.Path("docs/errors.md"));

    [Test]
    public void Every_code_of_the_sources_is_listed()
    {
        var listed = Listed().ToHashSet(StringComparer.Ordinal);

        var unlisted = Repository.Sources.SelectMany(file => Code().Matches(File.ReadAllText(file)).Select(match => (Code: match.Value, File: Path.GetFileName(file)))).Where(use => !listed.Contains(use.Code));

        Assert.That(unlisted.Distinct(), Is.Empty);
    }

    [Test]
    public void No_code_is_listed_twice() => Assert.That(Listed(), Is.Unique);

    [Test]
    public void Every_listed_code_has_exactly_one_factory() => Assert.That(Made().Select(factory => factory.Code).Order(StringComparer.Ordinal), Is.EqualTo(Listed().Order(StringComparer.Ordinal)));

    [Test]
    public void Codes_stand_in_the_table_of_their_area()
    {
        var area = string.Empty;
        var expected = Areas.Select((name, index) => $"## {index + 1}xx {name}").ToList();
        foreach (var line in Lines)
        {
            if (line.StartsWith("## ", StringComparison.Ordinal)) area = line;
            if (Row().Match(line) is { Success: true } row) Assert.That(area, Is.EqualTo(expected[row.Groups["code"].Value[3] - '1']), line);
        }
    }

    [Test]
    public void The_listed_exit_codes_are_those_of_the_factories()
    {
        var usage = Made().ToDictionary(factory => factory.Code, factory => factory.IsUsage, StringComparer.Ordinal);
        var rows = Lines.Select(line => Row().Match(line)).Where(row => row.Success);

        Assert.That(rows.Where(row => row.Groups["exit"].Value != (usage[row.Groups["code"].Value] ? "2" : "1")).Select(row => row.Value), Is.Empty);
    }

    private static IEnumerable<string> Listed() => Lines.Select(line => Row().Match(line)).Where(row => row.Success).Select(row => row.Groups["code"].Value);

    // Where a code is made: the code as a string, up to the end of its statement.
    private static IEnumerable<(string Code, bool IsUsage)> Made() =>
        from file in Repository.Sources
        from Match match in Factory().Matches(File.ReadAllText(file))
        select (match.Groups["code"].Value, match.Groups["rest"].Value.Contains("IsUsage = true", StringComparison.Ordinal));

    [GeneratedRegex(@"LRT\d{3}")]
    private static partial Regex Code();

    [GeneratedRegex(@"^\| (?<code>LRT\d{3}) \| .+ \| .+ \| (?<exit>[12]) \|$")]
    private static partial Regex Row();

    [GeneratedRegex("""
        "(?<code>LRT\d{3})",(?<rest>.*?);\s*$
        """, RegexOptions.Singleline | RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Factory();
}
