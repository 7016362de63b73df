using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Holds <c>build.cake</c> against the commands that it calls.</summary>
internal sealed partial class BuildScriptTests
{
    private static readonly string Script = File.ReadAllText(Repository.Path("build.cake"));

    // What follows "Lorta(", up to the end of the statement.
    private static IEnumerable<string> Calls => Call().Matches(Script).Select(match => match.Value);

    [TestCaseSource(nameof(Calls))]
    public void A_target_calls_a_command_with_options_that_it_has(string call)
    {
        var help = CommandLine.Run(Verb().Match(call).Groups[1].Value, "--help");

        Assert.That(help.ExitCode, Is.Zero, help.Error);
        Assert.That(Options().Matches(call).Select(option => $"--{option.Groups[1].Value}").Where(name => !help.Output.Contains(name, StringComparison.Ordinal)), Is.Empty);
    }

    [TestCase("Quickstart")]
    [TestCase("Train")]
    [TestCase("Evaluate")]
    [TestCase("Predict")]
    [TestCase("Export")]
    [TestCase("Verify")]
    [TestCase("Inspect")]
    public void A_target_says_which_arguments_it_takes(string target) =>
        Assert.That(Script, Does.Contain($"Task(\"{target}\")").And.Contain($"[\"{target}\"] = "));

    [GeneratedRegex("""(?<!void )Lorta\(.*?;""", RegexOptions.Singleline)]
    private static partial Regex Call();

    [GeneratedRegex("""(?:\[|Lorta\()"([a-z]+)"[,\]]""")]
    private static partial Regex Verb();

    [GeneratedRegex("""(?:Option\("|"--)([a-z-]+)""")]
    private static partial Regex Options();
}
