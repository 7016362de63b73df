using System.Diagnostics;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

internal sealed class CompletionVerbTests
{
    private static readonly string[] Shells = ["bash", "zsh", "fish", "pwsh"];

    [TestCaseSource(nameof(Shells))]
    public void A_script_names_every_verb_and_its_options(string shell)
    {
        var run = CommandLine.Run("completion", shell);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        foreach (var word in new[] { "quickstart", "train", "completion", "resume", "allow-rounding", "quiet" }) Assert.That(run.Output, Does.Contain(word));
    }

    [TestCaseSource(nameof(Shells))]
    public void A_script_offers_no_name_that_is_a_pattern_to_the_shell(string shell) =>
        Assert.That(CommandLine.Run("completion", shell).Output, Does.Not.Contain("-?").And.Not.Contain("-s ?"));

    [Test]
    public void An_unknown_shell_is_refused() => Assert.That(CommandLine.Run("completion", "tcsh").ExitCode, Is.EqualTo(2));

    [TestCase("lorta tr", ExpectedResult = "train")]
    [TestCase("lorta train recipe.yaml --res", ExpectedResult = "--resume")]
    [TestCase("lorta --quiet schema re", ExpectedResult = "recipe")]
    [TestCase("lorta artifacts model --dialect ort", ExpectedResult = "ort-training")]
    [TestCase("lorta gradcheck model --method dor", ExpectedResult = "dora")]
    [TestCase("lorta artifacts model --task mask", ExpectedResult = "masked-lm")]
    [TestCase("lorta completion z", ExpectedResult = "zsh")]
    [TestCase("lorta train models/x", ExpectedResult = "")]   // bash completes files itself
    public string Bash_completes(string line)
    {
        var script = CommandLine.Run("completion", "bash").Output;
        var words = line.Split(' ');
        var array = string.Join(' ', words.Select(word => $"'{word}'"));

        return Bash($"{script}\nCOMP_WORDS=({array}); COMP_CWORD={words.Length - 1}; _lorta; echo \"${{COMPREPLY[*]}}\"");
    }

    private static string Bash(string script)
    {
        try
        {
            using var bash = Process.Start(new ProcessStartInfo("bash", ["--norc", "-c", script]) { UseShellExecute = false, RedirectStandardOutput = true })!;
            return bash.StandardOutput.ReadToEnd().Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("No bash is here.");
            throw;
        }
    }
}
