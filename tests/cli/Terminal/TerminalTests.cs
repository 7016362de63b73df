using LoRTA.Onnx.Cli.Tests.Docs;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Terminal;

/// <summary>Verbs that show progress, where standard error is a terminal.</summary>
[Category(Fixtures.NotNeeded)]
internal sealed class TerminalTests
{
    // A column of the terminal that the live line leaves free.
    private const int Free = 1;

    private TestFolder _folder = null!;

    [SetUp]
    public void WriteRecipe()
    {
        _folder = new TestFolder();
        Directory.CreateDirectory(_folder["models", "recipes"]);
        foreach (var file in Directory.EnumerateFiles(Repository.Path("models/llama-mini")))
        {
            Directory.CreateDirectory(_folder["models", "llama-mini"]);
            File.Copy(file, _folder["models", "llama-mini", Path.GetFileName(file)]);
        }
        Directory.CreateDirectory(_folder["models", "data"]);
        File.Copy(Repository.Path("models/data/ship-log.txt"), _folder["models", "data", "ship-log.txt"]);
        _folder.Write("models/recipes/ship-log.yaml", """
            model: ../llama-mini
            task: causal-lm
            adapter: { method: lorta, rank: 2, alpha: 8, targets: [q, v], layers: [0] }
            data: { train: ../data/ship-log.txt, validationFraction: 0.02, maxLength: 16, packing: true }
            train: { steps: 6, batchSize: 2, optimizer: { lr: 1e-2 }, evaluateEvery: 3 }
            """);
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase(80)]
    [TestCase(200)]
    public void Training_shows_one_line_that_fits_the_terminal(int columns)
    {
        using var terminal = Train(columns, []);

        Assert.That(terminal.End(), Is.Zero, terminal.Output);
        var live = terminal.Lines.Where(line => line.Contains("step ", StringComparison.Ordinal) && line.Contains('%', StringComparison.Ordinal)).ToList();
        Assert.That(live, Has.Some.Contains("100%  step 6/6").And.All.Length.LessThanOrEqualTo(columns - Free));
        Assert.That(terminal.Lines, Has.Some.StartWith("evaluation after step 3").And.All.Length.LessThanOrEqualTo(columns));
        Assert.That(terminal.Output, Does.Contain("\x1b[32m"));
    }

    [Test]
    public void Dumb_terminal_gets_plain_lines()
    {
        using var terminal = Train(80, ["TERM=dumb"]);

        Assert.That(terminal.End(), Is.Zero, terminal.Output);
        var text = terminal.Output.Replace("\r\n", "\n", StringComparison.Ordinal);
        Assert.That(text, Does.Contain("\nstep 6/6  loss "));
        Assert.That(text.Where(letter => char.IsControl(letter) && letter != '\n'), Is.Empty, text);
    }

    [Test]
    public void Nothing_is_coloured_where_NO_COLOR_is_set()
    {
        using var terminal = Train(80, ["NO_COLOR=1"]);

        Assert.That(terminal.End(), Is.Zero, terminal.Output);
        Assert.That(terminal.Output, Does.Contain("step 6/6").And.Not.Match("\x1b\\[[0-9;]*m"));
    }

    [TestCase("Ctrl-C")]
    [TestCase("TERM")]
    [TestCase("HUP")]
    public void First_signal_ends_a_training_run_with_all_saved(string signal)
    {
        using var terminal = Train(80, [], "--set", "train.steps=100000", "--set", "train.evaluateEvery=never");
        terminal.WaitFor("step 3/");

        if (signal == "Ctrl-C") terminal.PressCtrlC();
        else terminal.Send(signal);

        Assert.That(terminal.End(), Is.EqualTo(130), terminal.Output);
        Assert.That(terminal.Output, Does.Contain("Stopping"));
        Assert.That(_folder.Entries, Has.Some.StartWith("run/checkpoints/step-").And.Some.EqualTo("run/adapter/adapter_model.safetensors"));
    }

    [Test]
    public void Second_Ctrl_C_ends_at_once()
    {
        using var terminal = Train(80, [], "--set", "train.gradientAccumulation=1000");
        terminal.WaitFor("step 1/");   // the next one takes many seconds

        terminal.PressCtrlC();
        terminal.WaitFor("Stopping");
        terminal.PressCtrlC();

        Assert.That(terminal.End(), Is.EqualTo(130), terminal.Output);
        Assert.That(_folder.Entries, Has.None.StartWith("run/adapter"));
    }

    [Test]
    public void Quickstart_shows_its_way_and_its_result()
    {
        using var terminal = PseudoTerminal.Start(80, _folder.Path, [], "quickstart");

        Assert.That(terminal.End(), Is.Zero, terminal.Output);
        Assert.That(terminal.Lines, Has.Some.Contains("step 6/6").And.Some.EqualTo("Folding and verifying …").And.All.Length.LessThanOrEqualTo(80));
        Assert.That(_folder.Entries, Has.Some.EqualTo("quickstart/merged.onnx").And.Some.EqualTo("quickstart/run/report.html"));
    }

    [Test]
    public void Ctrl_C_ends_quickstart_without_a_folded_model()
    {
        _folder.Write("models/recipes/ship-log.yaml", File.ReadAllText(_folder["models/recipes/ship-log.yaml"]).Replace("steps: 6", "steps: 100000", StringComparison.Ordinal));
        using var terminal = PseudoTerminal.Start(80, _folder.Path, [], "quickstart");
        terminal.WaitFor("step 2/");

        terminal.PressCtrlC();

        Assert.That(terminal.End(), Is.EqualTo(130), terminal.Output);
        Assert.That(_folder.Entries, Has.Some.StartWith("quickstart/run/checkpoints/step-").And.None.EqualTo("quickstart/merged.onnx"));
    }

    [Test]
    public void Generated_text_and_its_speed_do_not_mix()
    {
        using var terminal = PseudoTerminal.Start(80, _folder.Path, [], "generate", "models/llama-mini", "--prompt", "March", "--max-tokens", "8");

        Assert.That(terminal.End(), Is.Zero, terminal.Output);
        Assert.That(terminal.Lines, Has.Some.Match("^[0-9]+ tokens in [0-9.]+ s, [0-9.]+ tokens/s$"));
    }

    [Test]
    public void Ctrl_C_ends_a_text_and_is_answered_on_a_line_of_its_own()
    {
        using var terminal = PseudoTerminal.Start(80, _folder.Path, [], "generate", "models/llama-mini", "--prompt", "March", "--max-tokens", "1000", "--threads", "1");
        terminal.WaitFor(" the");

        terminal.PressCtrlC();

        Assert.That(terminal.End(), Is.EqualTo(130), terminal.Output);
        Assert.That(terminal.Lines, Has.Some.EqualTo("Stopping … (Ctrl-C once more ends at once)").And.Some.Match("^[0-9]+ tokens in "));
    }

    [Test]
    public void Errors_are_broken_between_words()
    {
        using var terminal = PseudoTerminal.Start(60, _folder.Path, [], "generate", "models", "--prompt", "March", "--tokenizer", "models/recipes");

        Assert.That(terminal.End(), Is.Not.Zero);
        Assert.That(terminal.Lines, Has.Some.StartWith("error LRT").And.Some.StartWith("hint: ").And.Some.StartWith("  ").And.All.Length.LessThan(60));
    }

    private PseudoTerminal Train(int columns, IReadOnlyList<string> environment, params string[] settings) =>
        PseudoTerminal.Start(columns, _folder.Path, environment, ["train", "models/recipes/ship-log.yaml", "-o", "run", .. settings]);
}
