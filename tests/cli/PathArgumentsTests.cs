using System.CommandLine;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>Arguments and options that name a file or folder: what an unset shell variable makes of them is refused.</summary>
[Category(Fixtures.NotNeeded)]
internal sealed class PathArgumentsTests
{
    private static readonly string[] Words =
        ["SHELL", "WHAT", "--method", "--layers", "--task", "--dialect", "--device", "--format", "--runtime", "--prompt"];

    // Whatever takes a text and is none of these words.
    private static IEnumerable<TestCaseData> Paths =>
        from verb in Application.VerbsOf(LortaCatalog.Default)
        from symbol in verb.Command.Arguments.Concat<Symbol>(verb.Command.Options)
        where (symbol is Argument argument ? argument.ValueType : ((Option)symbol).ValueType) == typeof(string)
        where !Words.Contains(symbol.Name)
        select new TestCaseData(verb.Command.Name, symbol.Name);

    [TestCaseSource(nameof(Paths))]
    public void An_empty_path_is_wrong_usage(string verb, string name)
    {
        var command = Application.VerbsOf(LortaCatalog.Default).Single(one => one.Command.Name == verb).Command;
        string[] args =
        [
            verb,
            .. command.Arguments.Select(argument => argument.Name == name ? string.Empty : "x"),
            .. command.Options.Where(option => option.Required && option.Name != name).SelectMany(option => new[] { option.Name, "x" }),
            .. command.Options.Where(option => option.Name == name).SelectMany(option => new[] { name, string.Empty }),
        ];

        var run = CommandLine.Run(args);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo(
            (2, $"error: {name}: must name a file or folder, but is empty.\nhint: See 'lorta {verb} --help'.\n")));
    }

    [Test]
    public void A_prompt_of_a_file_without_a_name_is_wrong_usage()
    {
        var run = CommandLine.Run("generate", "model.onnx", "--prompt", "@");

        Assert.That((run.ExitCode, run.Error), Is.EqualTo(
            (2, "error: --prompt: '@' stands before the name of a file.\nhint: See 'lorta generate --help'.\n")));
    }
}
