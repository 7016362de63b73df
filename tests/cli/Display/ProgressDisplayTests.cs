using System.Text;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Cli.Tests.Display;

internal sealed class ProgressDisplayTests
{
    private static readonly StepEvent Step = new()
    {
        Step = 105,
        Steps = 300,
        Loss = 4.21012,
        LearningRate = 2e-2,
        SamplesPerSecond = 123.4,
        TokensPerSecond = 7897,
        MemoryBytes = 230_000_000,
        SecondsLeft = 45,
    };

    [TestCase(80, ExpectedResult = "━━━━━───────────  35%  step 105/300  loss 4.2101  0:45 left  7,897 tokens/s")]
    [TestCase(30, ExpectedResult = "━━──────  35%  step 105/300")]
    [TestCase(200, ExpectedResult = "━━━━━━━━━━━━━━──────────────────────────  35%  step 105/300  loss 4.2101  0:45 left  7,897 tokens/s  lr 2e-2  230 MB  123.4 samples/s")]
    public string Live_line_holds_as_many_numbers_as_fit(int width)
    {
        using var output = new Utf8Writer();

        return new TerminalLine(output, () => width, hasColors: false).Text(Step, width);
    }

    [Test]
    public void Live_line_never_reaches_the_last_column()
    {
        using var output = new Utf8Writer();
        var line = new TerminalLine(output, () => 0, hasColors: false);

        Assert.That(Enumerable.Range(1, 220).Where(width => line.Text(Step, width).Length >= width), Is.Empty);
    }

    [TestCase("short", ExpectedResult = "short")]
    [TestCase("data: log.txt: 12 entries, none cut", ExpectedResult = "data: log.txt: 12\n  entries, none cut")]
    [TestCase("loss 0.25  matthews 0.2417", ExpectedResult = "loss 0.25\n  matthews 0.2417")]
    [TestCase("Run `lorta train a.yaml --resume` to go on", ExpectedResult = "Run\n  `lorta train a.yaml --resume`\n  to go on")]
    [TestCase("See 'lorta train --help'.", ExpectedResult = "See\n  'lorta train --help'.")]
    [TestCase("  line 5: adapter.rank: must be >= 1", ExpectedResult = "  line 5:\n    adapter.rank:\n    must be >= 1")]
    [TestCase("see /a/path/that/is/long for it", ExpectedResult = "see\n  /a/path/that/is/long\n  for it")]
    public string Text_that_is_wider_than_the_terminal_is_broken_between_words(string text) => TerminalLine.Wrapped(text, width: 20);

    [Test]
    public void Text_is_written_above_the_live_line()
    {
        using var output = new StringWriter();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => 40, hasColors: false));

        display.Report("reading");
        display.Report(Step);
        display.Report("halfway");
        display.Dispose();

        const string Line = "\r\x1b[K##------  35%  step 105/300";
        Assert.That(output.ToString(), Is.EqualTo($"reading\n{Line}\r\x1b[Khalfway\n{Line}\n"));
    }

    [Test]
    public void Display_that_fails_goes_on_in_plain_lines()
    {
        using var output = new StringWriter();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => throw new InvalidOperationException("no terminal"), hasColors: true));

        display.Report(Step);
        display.Report("reading");

        Assert.That(output.ToString(), Is.EqualTo($"{Phrases.Of(Step)}\nreading\n"));
    }

    [Test]
    public void Without_a_terminal_the_first_and_the_last_step_are_shown_and_few_between()
    {
        using var output = new StringWriter();
        using var display = new ProgressDisplay(output, isQuiet: false, line: null);

        foreach (var step in Enumerable.Range(1, 300)) display.Report(Step with { Step = step });

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.InRange(2, 30));   // one in two seconds
        Assert.That((lines[0], lines[^1]), Is.EqualTo((Phrases.Of(Step with { Step = 1 }), Phrases.Of(Step with { Step = 300 }))));
    }

    [Test]
    public void Without_a_terminal_the_steps_that_a_recipe_asks_for_are_shown()
    {
        using var output = new StringWriter();
        using var display = new ProgressDisplay(output, isQuiet: false, line: null);
        var tracker = new ProgressTracker(display, every: 100);

        foreach (var step in Enumerable.Range(1, 300)) tracker.Step(Step with { Step = step });

        Assert.That(output.ToString(), Is.EqualTo(string.Concat(new[] { 100, 200, 300 }.Select(step => Phrases.Of(Step with { Step = step }) + "\n"))));
    }

    [Test]
    public void Without_a_terminal_long_work_has_a_line_every_two_seconds_and_one_at_its_end()
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(output, isQuiet: false, line: null, clock);

        for (var row = 0; row <= 1000; row += 100)
        {
            display.Report(new WorkProgress("rows evaluated", row, 1000));
            clock.Advance(0.75);
        }

        Assert.That(output.ToString(), Is.EqualTo(
            "300 of 1,000 rows evaluated  0:05 left\n600 of 1,000 rows evaluated  0:03 left\n"
            + "900 of 1,000 rows evaluated  0:01 left\n1,000 of 1,000 rows evaluated  0:08\n"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Work_of_less_than_two_seconds_shows_nothing(bool isTerminal)
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(
            output, isQuiet: false, isTerminal ? new TerminalLine(output, () => 80, hasColors: false) : null, clock);

        display.Report(new WorkProgress("rows evaluated", 0, 2));
        clock.Advance(1);
        display.Report(new WorkProgress("rows evaluated", 1, 2));
        clock.Advance(0.9);
        display.Report(new WorkProgress("rows evaluated", 2, 2));
        display.Dispose();

        Assert.That(output.ToString(), Is.Empty);
    }

    [Test]
    public void In_a_terminal_long_work_has_a_bar()
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => 60, hasColors: false), clock);

        display.Report(new WorkProgress("rows evaluated", 0, 100));
        clock.Advance(3);
        display.Report(new WorkProgress("rows evaluated", 25, 100));

        Assert.That(output.ToString(), Is.EqualTo("\r\x1b[K###---------  25%  25 of 100 rows evaluated  0:09 left"));
    }

    [Test]
    public void A_part_of_the_work_that_takes_long_is_shown_while_it_lasts()
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(output, isQuiet: false, line: null, clock);

        display.Report(WorkProgress.Uncounted("writing the model"));
        clock.Advance(2);
        clock.Ring();

        Assert.That(output.ToString(), Is.EqualTo("writing the model  0:02\n"));
    }

    [Test]
    public void In_a_terminal_work_that_is_not_counted_has_no_bar()
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => 60, hasColors: false), clock);

        display.Report(WorkProgress.Uncounted("writing the model"));
        clock.Advance(3);
        clock.Ring();

        Assert.That(output.ToString(), Is.EqualTo("\r\x1b[Kwriting the model  0:03"));
    }

    [Test]
    public void In_a_terminal_work_that_is_over_leaves_nothing()
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => 60, hasColors: false), clock);

        display.Report(WorkProgress.Uncounted("reading the model"));
        clock.Advance(3);
        clock.Ring();
        display.Report(WorkProgress.Uncounted("writing the model"));
        display.Report("half of it");
        clock.Advance(3);
        clock.Ring();
        display.Dispose();

        Assert.That(output.ToString(), Is.EqualTo(
            "\r\x1b[Kreading the model  0:03\r\x1b[Khalf of it\n\r\x1b[Kwriting the model  0:03\r\x1b[K"));
    }

    [Test]
    public void In_a_terminal_a_step_takes_the_place_of_work()
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => 40, hasColors: false), clock);

        display.Report(WorkProgress.Uncounted("reading the model"));
        clock.Advance(3);
        clock.Ring();
        display.Report(Step);
        display.Dispose();

        Assert.That(output.ToString(), Does.EndWith("\r\x1b[K##------  35%  step 105/300\n"));
    }

    [TestCase(true, ExpectedResult = "Stopping … (Ctrl-C once more ends at once, without saving)\n")]
    [TestCase(false, ExpectedResult = "Stopping … (Ctrl-C once more ends at once)\n")]
    public string The_answer_to_Ctrl_C_speaks_of_saving_where_something_is_saved(bool saves)
    {
        using var output = new StringWriter();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => 80, hasColors: false));

        display.ShowStopping(new TextDisplay(TextWriter.Null), saves);

        return output.ToString();
    }

    [Test]
    public void Quiet_shows_no_work()
    {
        using var output = new StringWriter();
        var clock = new HandClock();
        using var display = new ProgressDisplay(output, isQuiet: true, line: null, clock);

        display.Report(new WorkProgress("rows evaluated", 0, 2));
        clock.Advance(5);
        display.Report(new WorkProgress("rows evaluated", 1, 2));

        Assert.That(output.ToString(), Is.Empty);
    }

    [Test]
    public void Output_that_takes_nothing_does_not_fail_a_run()
    {
        using var output = new ClosedWriter();
        using var display = new ProgressDisplay(output, isQuiet: false, new TerminalLine(output, () => 80, hasColors: true));

        Assert.That(() => display.Report(Step), Throws.Nothing);
        Assert.That(() => display.Report("reading"), Throws.Nothing);
        Assert.That(display.Dispose, Throws.Nothing);
    }

    [Test]
    public void Failure_is_an_exit_code_where_standard_error_takes_nothing()
    {
        using var error = new ClosedWriter();
        using var output = new StringWriter();

        Assert.That(Application.Run(["inspect", "none.onnx"], output, error, CancellationToken.None), Is.EqualTo(1));
    }

    /// <summary>A clock that is moved by hand, and whose timer rings when it is told to.</summary>
    private sealed class HandClock : TimeProvider
    {
        private long _ticks;
        private TimerCallback? _callback;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _callback = callback;
            return System.CreateTimer(_ => { }, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Advance(double seconds) => _ticks += (long)(seconds * TimeSpan.TicksPerSecond);

        public void Ring() => _callback!(null);
    }

    private sealed class Utf8Writer : StringWriter
    {
        public override Encoding Encoding => Encoding.UTF8;
    }

    /// <summary>A terminal that was closed.</summary>
    private sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException("Input/output error");
    }
}
