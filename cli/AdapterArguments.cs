using System.CommandLine;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;

namespace LoRTA.Onnx.Cli;

/// <summary>The options that describe an adapter, for verbs without a recipe.</summary>
internal sealed class AdapterArguments(LortaCatalog catalog)
{
    private readonly Option<string> _method = Opt.Method(catalog);
    private readonly Option<int> _rank = Opt.Rank();
    private readonly Option<double> _alpha = Opt.Alpha();
    private readonly Option<string[]> _targets = Opt.Targets();
    private readonly Option<string> _layers = Opt.Layers();
    private readonly Option<string[]> _options = Opt.FamilyOptions("One of the family's own options; `lorta methods --help` lists them.");

    public IReadOnlyList<Symbol> Symbols => [_method, _rank, _alpha, _targets, _layers, _options];

    public AdapterOptions Options(Call call) => new()
    {
        Method = call.Get(_method),
        Rank = call.Get(_rank),
        Alpha = call.Get(_alpha),
        Targets = call.Given(_targets),
        Layers = LayerChoice.TryParse(call.Get(_layers), out var layers)
            ? layers
            : throw Wrong("--layers", call.Get(_layers), "all, or indices and ranges such as 0,2-5"),
        Options = Named(call.Get(_options)),
    };

    /// <summary>Refuses these options, and others, beside one that states what they do.</summary>
    /// <param name="call">The call, which has that one.</param>
    /// <param name="stating">Its name.</param>
    /// <param name="others">The others.</param>
    /// <exception cref="LortaException">LRT808: the first of them that was given.</exception>
    public void RefuseBeside(Call call, string stating, params IEnumerable<Option> others)
    {
        if (Symbols.OfType<Option>().Concat(others).FirstOrDefault(call.Has) is { Name: var name }) throw Stated(name, stating);
    }

    /// <summary>Every family's own options with their values, for help.</summary>
    public static string FamilyOptionsInWords(LortaCatalog catalog) =>
        string.Join("\n", catalog.Families.Where(family => family.Options.Count > 0).Select(family =>
            $"{family.Method}: {string.Join(", ", family.Options.Select(option => option.InWords))}"));

    /// <summary>Options as given on the command line, name=value, by name.</summary>
    /// <exception cref="LortaException">LRT803: no such pair, or a name twice.</exception>
    public static Dictionary<string, string> Named(IReadOnlyList<string> texts)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in texts) if (!options.TryAdd(Split(text)[0], Split(text)[1])) throw Wrong("--option", text, "each name once");
        return options;
    }

    private static string[] Split(string text) =>
        text.Split('=', 2) is [{ Length: > 0 }, _] pair ? pair : throw Wrong("--option", text, "name=value");

    private static LortaException Stated(string option, string stating) =>
        new("LRT808", $"{option}: cannot be combined with {stating}, which states it.", "Give one of the two.") { IsUsage = true };

    private static LortaException Wrong(string option, string value, string expected) =>
        new("LRT803", $"{option}: '{value}' is not understood.", $"Give {expected}.") { IsUsage = true };
}
