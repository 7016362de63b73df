using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Runs the commands of <c>README.md</c> and holds its results against them.</summary>
internal sealed partial class ReadmeTests
{
    private static readonly string[] Starts = ["lorta ", "dotnet run --project cli -c Release -- "];

    // Has a test of its own.
    private const string Quickstart = "quickstart";

    private static readonly string[] Text = File.ReadAllLines(Repository.Path("README.md"));

    private string _folder = null!;
    private string _before = null!;

    [OneTimeSetUp]
    public void CopyModels()
    {
        _before = Environment.CurrentDirectory;
        _folder = Directory.CreateTempSubdirectory("readme").FullName;
        var models = Repository.Path("models");
        foreach (var file in Directory.EnumerateFiles(models, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Join(_folder, "models", Path.GetRelativePath(models, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        Environment.CurrentDirectory = _folder;
    }

    [OneTimeTearDown]
    public void DeleteModels()
    {
        Environment.CurrentDirectory = _before;
        Directory.Delete(_folder, recursive: true);
    }

    [Test, Category("Slow"), Category(Fixtures.NotNeeded)]
    public void Its_commands_run_and_give_its_results()
    {
        var rows = Rows().ToList();
        var outputs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var command in Commands().Concat(rows.Select(row => row.Command)).Distinct())
        {
            var run = CommandLine.Run([.. command.Split(' '), "--json", "--quiet"]);
            Assert.That(run.ExitCode, Is.Zero, $"lorta {command}\n{run.Error}");
            outputs[command] = run.Output;
        }

        foreach (var row in rows)
            Assert.That(Value(outputs[row.Command], row.Field), Is.EqualTo(row.Value).Within(row.Tolerance), $"lorta {row.Command}: {row.Field}");
    }

    [Test]
    public void It_holds_commands_and_results()
    {
        Assert.That(Commands().Count(), Is.GreaterThan(3));
        Assert.That(Rows().Count(), Is.GreaterThan(3));
    }

    [Test]
    public void Its_table_of_methods_is_what_the_verb_writes()
    {
        var command = Text.SelectMany(line => Table().Matches(line)).Single().Groups[1].Value;

        var run = CommandLine.Run(command.Split(' '));

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(string.Join('\n', Text), Does.Contain(run.Output), $"replace the table by what `lorta {command}` writes");
    }

    [Test]
    public void It_is_no_longer_than_a_newcomer_reads() => Assert.That(Text, Has.Length.LessThanOrEqualTo(250));

    [Test]
    public void Its_links_lead_somewhere() =>
        Assert.That(Text.SelectMany(line => Link().Matches(line)).Select(match => match.Groups[1].Value).Where(link => !link.Contains("://", StringComparison.Ordinal)).Select(Repository.Path), Has.All.Exist);

    // Lines of shell blocks that call lorta; a comment behind them is not part of them.
    private static IEnumerable<string> Commands()
    {
        var isShell = false;
        foreach (var line in Text)
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) isShell = line == "```sh";
            else if (isShell && Arguments(line.Split('#')[0].TrimEnd()) is { } arguments && !arguments.StartsWith(Quickstart, StringComparison.Ordinal)) yield return arguments;
        }
    }

    private static string? Arguments(string line) => Starts.FirstOrDefault(start => line.StartsWith(start, StringComparison.Ordinal)) is { } start ? line[start.Length..] : null;

    // | what | `lorta …` | `field` | 3.83 ± 0.02 |
    private static IEnumerable<(string Command, string Field, double Value, double Tolerance)> Rows() =>
        from line in Text
        let row = Result().Match(line)
        where row.Success
        select (row.Groups[1].Value, row.Groups[2].Value, Number(row.Groups[3].Value), row.Groups[4].Success ? Number(row.Groups[4].Value) : 0);

    private static double Value(string json, string field)
    {
        using var document = JsonDocument.Parse(json);
        return field.Split('.').Aggregate(document.RootElement, (at, key) => at.GetProperty(key)).GetDouble();
    }

    private static double Number(string text) => double.Parse(text.Replace(",", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\|.+\| `lorta (.+)` \| `([A-Za-z.]+)` \| ([0-9.,e-]+)(?: ± ([0-9.e-]+))? \|$")]
    private static partial Regex Result();

    [GeneratedRegex("`lorta (methods [^`]+ --table)`")]
    private static partial Regex Table();

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Link();
}
