using System.CommandLine;
using System.CommandLine.Completions;

namespace LoRTA.Onnx.Cli.Completion;

/// <summary>What can follow <c>lorta</c> on a command line, read off the commands themselves.</summary>
/// <param name="Verbs">The verbs, in the order of the help.</param>
internal sealed record CompletionModel(IReadOnlyList<CompletedVerb> Verbs)
{
    public static CompletionModel Of(Command root) => new([.. root.Subcommands.Select(verb => VerbOf(verb, root))]);

    private static CompletedVerb VerbOf(Command verb, Command root) => new(
        verb.Name,
        verb.Description ?? string.Empty,
        [.. verb.Arguments.SelectMany(argument => Words(argument.GetCompletions(CompletionContext.Empty))).Distinct()],
        [.. verb.Options.Concat(root.Options.Where(option => option.Recursive)).DistinctBy(option => option.Name).Select(OptionOf)]);

    private static CompletedOption OptionOf(Option option) => new(
        [.. option.Aliases.Append(option.Name).Where(IsOffered).Order(StringComparer.Ordinal)],
        FirstSentence(option.Description ?? string.Empty),
        option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool),
        option.ValueType == typeof(bool) ? [] : [.. Words(option.GetCompletions(CompletionContext.Empty)).Distinct()]);

    // To a shell, -? is a pattern.
    private static bool IsOffered(string name) => name.StartsWith('-') && name != "-?";

    private static IEnumerable<string> Words(IEnumerable<CompletionItem> items) => items.Select(item => item.InsertText ?? item.Label);

    private static string FirstSentence(string text) => text.Split('\n')[0].Split(". ")[0].TrimEnd('.');
}

/// <summary>A verb as shells complete it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Words">The words that its arguments take; empty where these are files.</param>
/// <param name="Options">Its options.</param>
internal sealed record CompletedVerb(
    string Name, string Description, IReadOnlyList<string> Words, IReadOnlyList<CompletedOption> Options);

/// <summary>An option as shells complete it.</summary>
/// <param name="Names">Its names, <c>--long</c> and <c>-s</c>.</param>
/// <param name="Description">What it does.</param>
/// <param name="TakesValue">Whether a value follows it.</param>
/// <param name="Words">The words that it takes; empty where these are files, numbers or texts.</param>
internal sealed record CompletedOption(IReadOnlyList<string> Names, string Description, bool TakesValue, IReadOnlyList<string> Words);
