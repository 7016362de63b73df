using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Cli;

/// <summary>Options that verbs share.</summary>
internal static partial class Opt
{
    /// <summary>What an option that takes an adapter accepts.</summary>
    public const string AdapterHelp = "An adapter folder, a run folder, or a checkpoint of a run.";

    private static readonly AdapterOptions Usual = new();

    public static Option<bool> Json { get; } = new("--json") { Description = "Write the result as one JSON document.", Recursive = true };

    public static Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress.", Recursive = true };

    public static Option<long?> Seed(string usual = "0") =>
        new("--seed") { Description = $"Seed of every random value (default: {usual}).", HelpName = "N" };

    public static Option<int?> Threads() =>
        AtLeastOne(new Option<int?>("--threads") { Description = "Threads of the runtime (default: all cores).", HelpName = "N" });

    public static Option<string?> Device()
    {
        var option = new Option<string?>("--device")
        {
            Description = OrtEngineOptions.DeviceHelp,
            HelpName = "cpu|cuda[:N]",
        };
        option.Validators.Add(result =>
        {
            if (Text(result) is { } text && !DeviceName().IsMatch(text))
                result.AddError($"--device: must be cpu, cuda or cuda:N, was '{text}'.");
        });
        return option;
    }

    public static Option<bool> AllowTf32() =>
        new("--allow-tf32")
        {
            Description = "On cuda: let products round their operands to 10 bits (TF32), faster, with errors near 3e-4.",
        };

    public static Option<bool> Force() => new("--force") { Description = "Replace an existing output." };

    public static Option<string> Output(string description = "Where the result goes.") =>
        PathCheck.On(new Option<string>("-o", "--output") { Description = description, Required = true, HelpName = "OUT" });

    public static Option<string?> OptionalOutput(string description) =>
        PathCheck.On(new Option<string?>("-o", "--output") { Description = description, HelpName = "OUT" });

    public static Option<string?> Adapter() => Path("--adapter", AdapterHelp, "DIR");

    public static Option<bool> AllowBase() =>
        new("--allow-base") { Description = "Accept a base whose weights differ from those that the adapter was trained on." };

    public const string SettingsName = "--set";

    public static Option<string[]> Settings() =>
        new(SettingsName)
        {
            Description = "Replace a key of the recipe; paths in it start at the current folder.",
            HelpName = "path.to.key=value",
            DefaultValueFactory = _ => [],
        };

    public static Option<bool> Resume() => new("--resume")
    {
        Description =
            "Continue from the newest checkpoint of the run folder; the result is that of a run without a stop (on cuda within rounding).",
    };

    public static Option<string> Method(LortaCatalog catalog) =>
        new Option<string>("--method") { Description = "Adapter family.", DefaultValueFactory = _ => Usual.Method, HelpName = "NAME" }
            .Completing(catalog.Families.Select(family => family.Method));

    /// <summary>Lets shells offer words that an option takes, among others.</summary>
    public static T Completing<T>(this T option, IEnumerable<string> words)
        where T : Option
    {
        option.CompletionSources.Add([.. words]);
        return option;
    }

    public static Option<int> Rank() =>
        AtLeastOne(new Option<int>("--rank") { Description = "Rank r.", DefaultValueFactory = _ => Usual.Rank, HelpName = "R" });

    public static Option<double> Alpha() =>
        new("--alpha") { Description = "Numerator of the scale α/r.", DefaultValueFactory = _ => Usual.Alpha, HelpName = "A" };

    /// <summary>Words separated by commas.</summary>
    public static Option<string[]> Targets() => new("--targets")
    {
        Description = "Adapted matrices, separated by commas (default: the family's own choice, mostly q,k,v,p).",
        HelpName = "q,k,v,p",
        CustomParser = result => result.Tokens[^1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
    };

    public static Option<string[]> FamilyOptions(string description) =>
        new("--option") { Description = description, HelpName = "name=value", DefaultValueFactory = _ => [] };

    public static Option<string> Layers() =>
        new("--layers")
        {
            Description = "Adapted layers: all, or indices and ranges.",
            DefaultValueFactory = _ => $"{Usual.Layers}",
            HelpName = "0,2-5",
        };

    /// <summary>An option of one verb only.</summary>
    public static Option<T> Of<T>(string name, string description, string? helpName = null) =>
        new(name) { Description = description, HelpName = helpName };

    /// <summary>An option of one verb only, with a default.</summary>
    public static Option<T> Of<T>(string name, string description, string helpName, T value) =>
        new(name) { Description = description, HelpName = helpName, DefaultValueFactory = _ => value };

    /// <summary>One of a few words, the first by default.</summary>
    public static Option<string> OneOf(string name, string description, params string[] words) =>
        new Option<string>(name) { Description = description, DefaultValueFactory = _ => words[0] }.AcceptOnlyFromAmong(words);

    /// <summary>A file or folder.</summary>
    public static Option<string?> Path(string name, string description, string helpName) =>
        PathCheck.On(Of<string?>(name, description, helpName));

    /// <summary>A file or folder that must be given.</summary>
    public static Option<string> RequiredPath(string name, string description, string helpName) =>
        PathCheck.On(Required<string>(name, description, helpName));

    /// <summary>A required option of one verb only.</summary>
    public static Option<T> Required<T>(string name, string description, string helpName) =>
        new(name) { Description = description, HelpName = helpName, Required = true };

    /// <summary>Refuses numbers below 1.</summary>
    public static Option<T> AtLeastOne<T>(Option<T> option) => Checked(option, number => number >= 1, "must be >= 1");

    /// <summary>Refuses numbers outside a range.</summary>
    public static Option<T> Within<T>(Option<T> option, int least, int most) =>
        Checked(option, number => number >= least && number <= most, $"must be from {least} to {most}");

    /// <summary>Refuses negative numbers, NaN and ∞.</summary>
    public static Option<T> NotNegative<T>(Option<T> option) =>
        Checked(option, number => number >= 0 && double.IsFinite(number), "must be a number >= 0");

    /// <summary>The option with a check of its value; what is no number at all is refused by the parser.</summary>
    /// <param name="option">The option.</param>
    /// <param name="isRight">What a value must meet.</param>
    /// <param name="rule">The same in words, for instance <c>must be &gt;= 0</c>.</param>
    public static Option<T> Checked<T>(Option<T> option, Func<double, bool> isRight, string rule)
    {
        option.Validators.Add(result =>
        {
            if (Text(result) is { } text && double.TryParse(text, CultureInfo.InvariantCulture, out var number) && !isRight(number))
                result.AddError($"{option.Name}: {rule}, was {text}.");
        });
        return option;
    }

    private static string? Text(OptionResult result) => result.Tokens is [.., var token] ? token.Value : null;

    [GeneratedRegex($"^({OrtEngineOptions.DevicePattern})$")]
    private static partial Regex DeviceName();
}
