using System.Globalization;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>The last line of a terminal, written anew with each step or piece of work: a bar where it is counted, and as many of its
/// numbers as the terminal is wide.</summary>
/// <param name="output">The terminal.</param>
/// <param name="columns">Its width now; 0 where it has none.</param>
/// <param name="hasColors">Whether the bar may be coloured.</param>
internal sealed partial class TerminalLine(TextWriter output, Func<int> columns, bool hasColors)
{
    private const int Utf8 = 65001;
    private const int UsualColumns = 80;
    private const int WidestBar = 40;
    private const int NarrowestBar = 8;
    private const string Erase = "\r\x1b[K";
    private const string Green = "\x1b[32m";
    private const string Plain = "\x1b[0m";
    private readonly (char Done, char Left) _bar = output.Encoding.CodePage == Utf8 ? ('━', '─') : ('#', '-');
    private Func<int, string>? _text;   // of a width

    /// <summary>Shows a step in place of what was there before.</summary>
    public void Show(StepEvent step) => Show(width => Text(step, width));

    /// <summary>Shows how far a piece of work is in place of what was there before.</summary>
    /// <param name="work">The work.</param>
    /// <param name="seconds">Since it began.</param>
    public void Show(WorkProgress work, double seconds) => Show(width => work.All > 0
        ? Text(work.Done, work.All, Phrases.Parts(work, seconds), width)
        : Joined(string.Empty, Phrases.Parts(work, seconds), width - 1));

    /// <summary>Writes a text above the line, broken between words where the terminal is narrower; lines that are indented, such as
    /// commands to be copied, stay whole.</summary>
    public void WriteAbove(string text)
    {
        var lines = text.Split('\n').Select(line => line.StartsWith("  ", StringComparison.Ordinal) ? line : Wrapped(line, Width));
        var wrapped = string.Join('\n', lines);
        output.Write(_text is null ? $"{wrapped}\n" : $"{Erase}{wrapped}\n");
        if (_text is not null) Draw();
    }

    /// <summary>Leaves the line as it is: what comes next is written below it.</summary>
    public void End()
    {
        if (_text is not null) output.Write('\n');
        _text = null;
    }

    /// <summary>Removes the line.</summary>
    public void Clear()
    {
        if (_text is not null) output.Write(Erase);
        _text = null;
    }

    /// <summary>The line for a terminal of a width: it never fills the last column, where some terminals wrap.</summary>
    internal string Text(StepEvent step, int width) => Text(step.Step, step.Steps, Phrases.ByWeight(step), width);

    private string Text(long done, long all, IReadOnlyList<string> parts, int width)
    {
        var share = Math.Clamp((double)done / all, 0, 1);
        var cells = Math.Clamp(width / 5, NarrowestBar, WidestBar);
        var room = width - 1 - cells - 1;
        var words = Joined(string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 100),3}%"), parts, room);
        return words.Length <= room ? $"{Bar(share, cells)} {words}" : string.Empty;
    }

    // As many parts as there is room for.
    private static string Joined(string words, IReadOnlyList<string> parts, int room)
    {
        foreach (var part in parts)
        {
            var longer = words.Length > 0 ? $"{words}  {part}" : part;
            if (longer.Length > room) break;
            words = longer;
        }
        return words;
    }

    /// <summary>The text in lines that are shorter than a width, further ones indented; a word that is too long has a line of its own.
    /// A number stays with the word before it, and a command that is to be copied in one piece.</summary>
    internal static string Wrapped(string text, int width)
    {
        var indent = new string(' ', text.Length - text.TrimStart(' ').Length + 2);
        var lines = new List<string>();
        var line = string.Empty;
        foreach (var match in Words().Matches(text).Cast<Match>())
        {
            if (line.Length > 0 && line.Length + match.Length >= width)
            {
                lines.Add(line);
                line = indent + match.Groups["word"].Value;
            }
            else line += match.Value;
        }
        return string.Join('\n', [.. lines, line]);
    }

    [GeneratedRegex(
        " *(?<word>((?<=For instance: )lorta .+|`[^`]*`|'lorta [^']*'|[^ ])+( [-+]?[0-9][^ ]*)?)", RegexOptions.ExplicitCapture)]
    private static partial Regex Words();

    /// <summary>The width of a terminal; where it is not known, the usual one.</summary>
    internal static int WidthOr(int columns) => columns > 0 ? columns : UsualColumns;

    private int Width => WidthOr(columns());

    private void Show(Func<int, string> text)
    {
        _text = text;
        Draw();
    }

    private void Draw() => output.Write(Erase + _text!(Width));

    private string Bar(double share, int cells)
    {
        var (done, left) = (new string(_bar.Done, (int)(share * cells)), new string(_bar.Left, cells - (int)(share * cells)));
        return hasColors ? $"{Green}{done}{Plain}{left}" : done + left;
    }
}
