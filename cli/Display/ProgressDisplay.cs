using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>Shows a run while it is in progress: a live line where standard error is a terminal, lines elsewhere, nothing when
/// quiet.</summary>
/// <remarks>A display never stops or fails a run: where the live line cannot be shown, plain lines are, and where those cannot be
/// written, nothing is.</remarks>
/// <param name="error">Takes it.</param>
/// <param name="isQuiet">Whether nothing is shown.</param>
/// <param name="line">The live line of the terminal that <paramref name="error"/> is; null = it is none.</param>
/// <param name="clock">Says when it is time for a line; null = the system's.</param>
internal sealed class ProgressDisplay(TextWriter error, bool isQuiet, TerminalLine? line, TimeProvider? clock = null)
    : IProgress<object>, IDisposable
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(2);
    private readonly Lock _turn = new();   // a signal reports from another thread
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private long? _lastStep;
    private Work? _work;
    private ITimer? _timer;   // a part of a piece of work may take long, and reports nothing
    private TerminalLine? _line = line;
    private bool _isSilent = isQuiet;

    public static ProgressDisplay On(TextWriter error, bool isQuiet) => new(error, isQuiet, isQuiet ? null : TerminalFacts.LineOn(error));

    public void Report(object value)
    {
        lock (_turn)
        {
            value = value switch { WorkEvent { Work: var done } => done, NoteEvent { Text: var text } => text, _ => value };
            if (value is WorkProgress work)
            {
                Follow(work);
                return;
            }
            if (value is StepEvent) _work = null;   // which takes its place
            if (_line is not null && Try(() => ShowLive(value))) return;
            _line = null;
            if (value is not StepEvent step || IsDue(step)) _isSilent = _isSilent || !Try(() => error.WriteLine(Phrase(value)));
        }
    }

    /// <summary>Answers the first Ctrl-C, where somebody sits at the terminal.</summary>
    /// <param name="text">What may have begun a line there.</param>
    /// <param name="saves">Whether what was done so far is saved.</param>
    public void ShowStopping(TextDisplay text, bool saves)
    {
        if (_line is null) return;
        text.EndLineOfTerminal();
        Report($"Stopping … (Ctrl-C once more ends at once{(saves ? ", without saving" : string.Empty)})");
    }

    /// <summary>Leaves the last step; work that is over says nothing.</summary>
    public void Dispose()
    {
        lock (_turn)
        {
            _timer?.Dispose();
            EndWork();
            _timer = null;
            if (_line is { } line) Try(line.End);
            _line = null;
        }
    }

    // The first and the last step always; of the others a line every two seconds, where the recipe does not say otherwise.
    private bool IsDue(StepEvent step)
    {
        var isDue = step.IsDue ?? (_lastStep is not { } last || step.Step == step.Steps || _clock.GetElapsedTime(last) >= BetweenLines);
        if (isDue) _lastStep = _clock.GetTimestamp();
        return isDue;
    }

    private void Follow(WorkProgress work)
    {
        if (_isSilent) return;
        if (_work?.Now.What != work.What) EndWork();
        _work = _work is { } before ? before with { Now = work } : new(work, _clock.GetTimestamp(), null);
        _timer ??= _clock.CreateTimer(_ => ShowInTime(), null, BetweenLines, BetweenLines);
        ShowWork();
        if (work.IsDone) EndWork();
    }

    private void EndWork()
    {
        if (_work is { Shown: not null } && _line is { } line) Try(line.Clear);
        _work = null;
    }

    private void ShowInTime()
    {
        lock (_turn) ShowWork();
    }

    // Work that is done in less than two seconds says nothing; further lines are as far apart, but that of its end.
    private void ShowWork()
    {
        if (_work is not { } work) return;
        var elapsed = _clock.GetElapsedTime(work.Begun);
        if (work.Shown is { } shown
            ? _line is null && !work.Now.IsDone && _clock.GetElapsedTime(shown) < BetweenLines
            : elapsed < BetweenLines)
            return;
        _work = work with { Shown = _clock.GetTimestamp() };
        if (_line is not null && Try(() => _line!.Show(work.Now, elapsed.TotalSeconds))) return;
        _line = null;
        _isSilent = _isSilent || !Try(() => error.WriteLine(Phrases.Of(work.Now, elapsed.TotalSeconds)));
    }

    private void ShowLive(object value)
    {
        if (value is StepEvent step) _line!.Show(step);
        else _line!.WriteAbove(Phrase(value));
    }

    private static bool Try(Action show)
    {
        try
        {
            show();
            return true;
        }
        // a terminal that is gone, too narrow, or answers nonsense is no reason to lose a run
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return false;
        }
    }

    // Since when it goes on, and when it was shown last.
    private readonly record struct Work(WorkProgress Now, long Begun, long? Shown);

    private static string Phrase(object value) => value switch
    {
        StepEvent step => Phrases.Of(step),
        EvaluationEvent evaluation => Phrases.Of(evaluation),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
