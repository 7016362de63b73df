using System.CommandLine;
using System.Text.RegularExpressions;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.Cli.Tests.Docs;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Cli.Tests.Display;

internal sealed partial class HintsTests
{
    private static readonly IReadOnlyList<Command> Commands = [.. Application.VerbsOf(LortaCatalog.Default).Select(verb => verb.Command)];

    // Sentences of all error factories that name an option.
    private static IEnumerable<string> Named() =>
        from file in Repository.Sources
        where Path.GetFileName(file).EndsWith("Errors.cs", StringComparison.Ordinal)
        from Match text in Literal().Matches(Joint().Replace(File.ReadAllText(file), string.Empty))
        from sentence in Hints.Sentences(text.Groups["text"].Value)
        where Hints.OptionsIn(sentence).Any()
        select sentence;

    [TestCaseSource(nameof(Named))]
    public void Options_of_a_sentence_are_those_of_a_command(string sentence) =>
        Assert.That(Commands.Select(command => Hints.For(command, sentence)), Has.Some.Not.Null);

    [TestCase("train", "Name another output. With --force it is replaced. With --resume a run is continued.")]
    [TestCase("quickstart", "Name another output. With --force it is replaced.")]
    public void A_command_shows_the_sentences_whose_options_it_has(string command, string expected) =>
        Assert.That(Shown(command, FileErrors.Exists("run")), Is.EqualTo(expected));

    [Test]
    public void Nothing_is_shown_where_no_sentence_is_left() =>
        Assert.That(Hints.For(Commands[0], "Give the width of the MLP: --ffn N."), Is.Null);

    [TestCase("quickstart")]
    [TestCase("generate")]
    public void A_whole_command_is_shown_by_every_command(string command) =>
        Assert.That(Shown(command, new LortaException("LRT999", "m", "Fold it with `lorta export --widen`.")), Does.Contain("--widen"));

    [Test]
    public void Options_of_all_commands_are_known_to_each() =>
        Assert.That(Hints.For(Commands[0], "Pass --json or --quiet."), Is.EqualTo("Pass --json or --quiet."));

    [Test]
    public void A_failed_command_shows_the_hint_without_options_of_others()
    {
        var run = CommandLine.Do(_ => throw new LortaException("LRT999", "broken.", "Mend it. With --widen it is wider."));

        Assert.That(run.Error, Is.EqualTo("error LRT999: broken.\nhint: Mend it.\n"));
    }

    private static string? Shown(string command, LortaException failure) =>
        Hints.For(Commands.Single(one => one.Name == command), failure.Hint);

    // Two literals of one text.
    [GeneratedRegex("""
        "\s*\+\s*\$?"
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Joint();

    [GeneratedRegex("""
        "(?<text>([^"\\\n]|\\.)*)"
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Literal();
}
