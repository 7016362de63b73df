using System.CommandLine;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>The libraries' hints, as far as the running command can follow them.</summary>
/// <remarks>One failure may come from several commands. In its hint, an option that only some of them have is in a sentence of its own,
/// which the others do not show. What is between backquotes is a command that can be run from anywhere.</remarks>
internal static partial class Hints
{
    /// <summary>The sentences of a hint whose options a command has; null where none is left.</summary>
    public static string? For(Command command, string hint)
    {
        var known = command.Options.Concat([Opt.Json, Opt.Quiet]).SelectMany(option => option.Aliases.Append(option.Name))
            .ToHashSet(StringComparer.Ordinal);
        var sentences = Sentences(hint).Where(sentence => OptionsIn(sentence).All(known.Contains)).ToList();
        return sentences.Count > 0 ? string.Join(' ', sentences) : null;
    }

    /// <summary>The sentences of a text.</summary>
    public static IEnumerable<string> Sentences(string text) => BetweenSentences().Split(text);

    /// <summary>The options that a text names outside of whole commands.</summary>
    public static IEnumerable<string> OptionsIn(string text) =>
        OptionName().Matches(Quoted().Replace(text, string.Empty)).Select(match => match.Value);

    [GeneratedRegex(@"(?<=[.?!])\s+(?=[A-Z`'-])")]
    private static partial Regex BetweenSentences();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"(?<![\w-])--[a-z][a-z0-9-]*")]
    private static partial Regex OptionName();
}
