using System.Globalization;
using LoRTA.Onnx.Training.Tracking;
using Spectre.Console;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>Shows a run while it goes on: a live bar where standard error is a terminal, lines elsewhere, nothing when quiet.</summary>
internal sealed class ProgressDisplay : IProgress<object>, IDisposable
{
    private readonly TextWriter _error;
    private readonly bool _isQuiet;
    private readonly IAnsiConsole? _terminal;
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _live = Task.CompletedTask;
    private ProgressTask? _bar;

    private ProgressDisplay(TextWriter error, bool isQuiet, IAnsiConsole? terminal) => (_error, _isQuiet, _terminal) = (error, isQuiet, terminal);

    public static ProgressDisplay On(TextWriter error, bool isQuiet)
    {
        var isTerminal = !isQuiet && ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
        return new(error, isQuiet, isTerminal ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) }) : null);
    }

    public void Report(object value)
    {
        if (_isQuiet) return;
        if (_terminal is null) _error.WriteLine(Phrase(value));
        else if (value is StepRecord step) Advance(step);
        else _terminal.WriteLine(Phrase(value));
    }

    public void Dispose()
    {
        _end.TrySetResult();
        _live.GetAwaiter().GetResult();
    }

    // The bar appears with the first step and stays until the end.
    private void Advance(StepRecord step)
    {
        if (_bar is null)
        {
            var started = new TaskCompletionSource<ProgressTask>();
            _live = _terminal!.Progress().Columns(new SpinnerColumn(), new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
                .StartAsync(context =>
                {
                    started.SetResult(context.AddTask(string.Empty, maxValue: step.Steps));
                    return _end.Task;
                });
            _bar = started.Task.GetAwaiter().GetResult();
        }
        _bar.Value = step.Step;
        _bar.Description = Markup.Escape(Phrases.Of(step));
    }

    private static string Phrase(object value) => value switch
    {
        StepRecord step => Phrases.Of(step),
        EvaluationRecord evaluation => Phrases.Of(evaluation),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
