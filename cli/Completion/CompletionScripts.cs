using System.Text;

namespace LoRTA.Onnx.Cli.Completion;

/// <summary>Completion scripts for shells. Each is one text that needs nothing but the shell; it does not start <c>lorta</c>.</summary>
internal static class CompletionScripts
{
    /// <summary>The shells, each with its script.</summary>
    public static IReadOnlyDictionary<string, Func<CompletionModel, string>> All { get; } =
        new OrderedDictionary<string, Func<CompletionModel, string>>(StringComparer.Ordinal)
        {
            ["bash"] = Bash,
            ["zsh"] = Zsh,
            ["fish"] = Fish,
            ["pwsh"] = PowerShell,
        };

    private static string Bash(CompletionModel model)
    {
        var verbs = new StringBuilder();
        var values = new StringBuilder();
        foreach (var verb in model.Verbs)
        {
            verbs.Append($"        {verb.Name}) words=\"{Joined(WordsOf(verb))}\" ;;\n");
            foreach (var option in verb.Options.Where(option => option.TakesValue))
            {
                var patterns = string.Join('|', option.Names.Select(name => $"'{verb.Name} {name}'"));
                values.Append($"        {patterns}) words=\"{Joined(option.Words)}\" ;;\n");
            }
        }
        return $$"""
            # Completion of lorta for bash. In ~/.bashrc: source <(lorta completion bash)
            _lorta() {
                local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= words= i
                for ((i = 1; i < COMP_CWORD; i++)); do
                    [[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }
                done
                case $verb in
                    '') words="{{Joined(model.Verbs.Select(verb => verb.Name))}} --help --version" ;;
            {{Lines(verbs)}}
                esac
                case "$verb $previous" in
            {{Lines(values)}}
                esac
                COMPREPLY=($(compgen -W "$words" -- "$word"))
            }
            complete -o default -F _lorta lorta

            """;
    }

    private static string Zsh(CompletionModel model)
    {
        var verbs = string.Concat(model.Verbs.Select(verb => $"        {ZshQuoted($"{verb.Name}:{verb.Description}")}\n"));
        var cases = string.Concat(model.Verbs.Select(verb =>
            $"        {verb.Name}) _arguments {string.Join(' ', verb.Options.SelectMany(ZshOption))} "
                + $"{ZshQuoted(verb.Words.Count > 0 ? $"1:word:({Joined(verb.Words)})" : "*:file:_files")} ;;\n"));
        return $$"""
            #compdef lorta
            # Completion of lorta for zsh. In ~/.zshrc, behind compinit: source <(lorta completion zsh)
            _lorta() {
                local -a verbs
                local state line
                verbs=(
            {{Lines(verbs)}}
                )
                _arguments -C '1: :->verb' '*:: :->rest'
                case $state in
                    verb) _describe -t commands 'lorta command' verbs ;;
                    rest) case $words[1] in
            {{Lines(cases)}}
                    esac ;;
                esac
            }
            if [ "$funcstack[1]" = _lorta ]; then _lorta "$@"; else compdef _lorta lorta; fi

            """;
    }

    private static IEnumerable<string> ZshOption(CompletedOption option)
    {
        var about = option.Description.Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal)
            .Replace(":", "\\:", StringComparison.Ordinal);
        var value = !option.TakesValue ? string.Empty : option.Words.Count > 0 ? $":value:({Joined(option.Words)})" : ":value:_files";
        return option.Names.Select(name => ZshQuoted($"*{name}[{about}]{value}"));
    }

    private static string ZshQuoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Fish(CompletionModel model)
    {
        var lines = new StringBuilder("# Completion of lorta for fish: lorta completion fish > ~/.config/fish/completions/lorta.fish\n");
        foreach (var verb in model.Verbs)
        {
            lines.Append($"complete -c lorta -n __fish_use_subcommand -a {verb.Name} -d {FishQuoted(verb.Description)}\n");
            var inVerb = $"complete -c lorta -n '__fish_seen_subcommand_from {verb.Name}'";
            if (verb.Words.Count > 0) lines.Append($"{inVerb} -f -a {FishQuoted(Joined(verb.Words))}\n");
            foreach (var option in verb.Options)
            {
                lines.Append($"{inVerb} {Joined(option.Names.Select(FishName))} -d {FishQuoted(option.Description)}{FishValue(option)}\n");
            }
        }
        return lines.ToString();
    }

    private static string FishName(string name) =>
        name.StartsWith("--", StringComparison.Ordinal) ? $"-l {name[2..]}" : $"-s {name[1..]}";

    private static string FishValue(CompletedOption option) =>
        !option.TakesValue ? string.Empty : option.Words.Count > 0 ? $" -x -a {FishQuoted(Joined(option.Words))}" : " -r";

    private static string FishQuoted(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    private static string PowerShell(CompletionModel model)
    {
        var verbs = string.Concat(model.Verbs.Select(verb =>
            $"        '{verb.Name}' = {PowerShellList(WordsOf(verb))}\n"));
        var values = string.Concat(
            from verb in model.Verbs
            from option in verb.Options
            where option.Words.Count > 0
            from name in option.Names
            select $"        '{verb.Name} {name}' = {PowerShellList(option.Words)}\n");
        return $$"""
            # Completion of lorta for PowerShell. In $PROFILE: lorta completion pwsh | Out-String | Invoke-Expression
            Register-ArgumentCompleter -Native -CommandName lorta -ScriptBlock {
                param($wordToComplete, $commandAst, $cursorPosition)
                $verbs = @{
                    '' = {{PowerShellList(model.Verbs.Select(verb => verb.Name).Concat(["--help", "--version"]))}}
            {{Lines(verbs)}}
                }
                $values = @{
            {{Lines(values)}}
                }
                $before = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
                if ($wordToComplete) { $before = @($before | Select-Object -SkipLast 1) }
                $verb = "$($before | Where-Object { -not $_.StartsWith('-') } | Select-Object -First 1)"
                $last = if ($before.Count -gt 0) { $before[-1] } else { '' }
                $words = if ($values.ContainsKey("$verb $last")) { $values["$verb $last"] } else { $verbs[$verb] }
                $words | Where-Object { $_ -like "$wordToComplete*" } |
                    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }

            """;
    }

    private static string PowerShellList(IEnumerable<string> words) =>
        $"@({string.Join(", ", words.Select(word => $"'{word.Replace("'", "''", StringComparison.Ordinal)}'"))})";

    private static IEnumerable<string> WordsOf(CompletedVerb verb) => verb.Words.Concat(verb.Options.SelectMany(option => option.Names));

    private static string Joined(IEnumerable<string> words) => string.Join(' ', words);

    // Lines without the last line break, which the text around them has.
    private static string Lines(object lines) => $"{lines}".TrimEnd('\n');
}
