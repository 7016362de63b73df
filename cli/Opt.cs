using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Cli;

/// <summary>Options that verbs share.</summary>
internal static partial class Opt
{
    public static Option<bool> Json { get; } = new("--json") { Description = "Write the result as one JSON document.", Recursive = true };

    public static Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress.", Recursive = true };

    public static Option<long?> Seed() => new("--seed") { Description = "Seed of every random value (default 0).", HelpName = "N" };

    public static Option<int?> Threads() => Positive(new Option<int?>("--threads") { Description = "Threads of the runtime (default: all cores).", HelpName = "N" });

    public static Option<string?> Device()
    {
        var option = new Option<string?>("--device") { Description = "Where to compute: cpu, cuda or cuda:N.", HelpName = "cpu|cuda[:N]" };
        option.Validators.Add(result =>
        {
            if (Text(result) is { } text && !DeviceName().IsMatch(text)) result.AddError($"--device: must be cpu, cuda or cuda:N, was '{text}'.");
        });
        return option;
    }

    public static Option<bool> Force() => new("--force") { Description = "Replace an existing output." };

    public static Option<string> Output(string description = "Where the result goes.") => new("-o", "--output") { Description = description, Required = true, HelpName = "OUT" };

    public static Option<string?> OptionalOutput(string description) => new("-o", "--output") { Description = description, HelpName = "OUT" };

    public static Option<string?> Adapter() => new("--adapter") { Description = "An adapter folder.", HelpName = "DIR" };

    public static Option<bool> AllowBase() => new("--allow-base") { Description = "Accept a base with other weights than the adapter was trained on." };

    public static Option<string[]> Settings() => new("--set") { Description = "Replace a key of the recipe.", HelpName = "path.to.key=value", DefaultValueFactory = _ => [] };

    public static Option<bool> Resume() => new("--resume") { Description = "Go on from the newest checkpoint of the run folder." };

    public static Option<string> Method() => new("--method") { Description = "Adapter family.", DefaultValueFactory = _ => "lorta", HelpName = "NAME" };

    public static Option<int> Rank() => Positive(new Option<int>("--rank") { Description = "Rank r.", DefaultValueFactory = _ => 8, HelpName = "R" });

    public static Option<double> Alpha() => new("--alpha") { Description = "Numerator of the scale α/r.", DefaultValueFactory = _ => 16, HelpName = "A" };

    /// <summary>Words parted by commas.</summary>
    public static Option<string[]> Targets() => new("--targets")
    {
        Description = "Adapted matrices, parted by commas.",
        HelpName = "q,k,v,p",
        DefaultValueFactory = _ => ["q", "k", "v", "p"],
        CustomParser = result => result.Tokens[^1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
    };

    public static Option<string> Layers() => new("--layers") { Description = "Adapted layers: all, or indices and ranges.", DefaultValueFactory = _ => "all", HelpName = "0,2-5" };

    /// <summary>An option of one verb only.</summary>
    public static Option<T> Of<T>(string name, string description, string? helpName = null) => new(name) { Description = description, HelpName = helpName };

    /// <summary>An option of one verb only, with a default.</summary>
    public static Option<T> Of<T>(string name, string description, T value) => new(name) { Description = description, DefaultValueFactory = _ => value };

    /// <summary>A required option of one verb only.</summary>
    public static Option<T> Required<T>(string name, string description) => new(name) { Description = description, Required = true };

    private static Option<T> Positive<T>(Option<T> option)
    {
        option.Validators.Add(result =>
        {
            if (Text(result) is { } text && long.TryParse(text, CultureInfo.InvariantCulture, out var number) && number < 1) result.AddError($"{option.Name}: must be >= 1, was {text}.");
        });
        return option;
    }

    private static string? Text(OptionResult result) => result.Tokens is [.., var token] ? token.Value : null;

    [GeneratedRegex("^(cpu|cuda(:[0-9]+)?)$")]
    private static partial Regex DeviceName();
}
