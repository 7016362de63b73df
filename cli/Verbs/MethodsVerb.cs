using System.CommandLine;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta methods --width 4096 --heads 32 --layers 32</c> or <c>lorta methods MODEL</c>.</summary>
internal static class MethodsVerb
{
    private const int Largest = 10_000_000;
    private const int MostLayers = 10_000;   // one factor after the other is counted

    public static Verb Create()
    {
        var model = Arg.OptionalModel();
        var targets = Opt.Targets();
        var rank = Opt.Rank();
        var width = Size("--width", "Model width d.");
        var heads = Size("--heads", "Query heads H.");
        var layers = Opt.Within(Opt.Of<int?>("--layers", "Layers L.", "N"), 1, MostLayers);
        var (kvHeads, vocab) = (Size("--kv-heads", "Key/value heads (default: as many as query heads)."),
            Size("--vocab", "Size of the vocabulary."));
        var ffn = Size("--ffn", "Width of the MLP, for the targets gate, up and down.");
        return Verb.Define(
            "methods",
            "Count the trainable parameters of every adapter family.",
            [model, width, heads, layers, kvHeads, ffn, vocab, targets, rank],
            call =>
            {
                var architecture = call.Get(model) is { } path
                    ? OfModel(path)
                    : OfNumbers(call.Get(width), call.Get(heads), call.Get(layers), call.Get(kvHeads), call.Get(vocab), call.Get(ffn));
                var options = new AdapterOptions { Rank = call.Get(rank), Targets = call.Given(targets) };
                options.Validate();
                CheckTargets(options, call.Families);
                return call.Families.Select(family => Count(architecture, options with { Method = family.Method }, call.Families)).ToList();
            });
    }

    private static Option<int?> Size(string name, string description) => Opt.Within(Opt.Of<int?>(name, description, "N"), 1, Largest);

    // A word that some families do not know is their reason for no number; one that none knows is a typing error.
    private static void CheckTargets(AdapterOptions options, IReadOnlyList<AdapterFamilyEntry> families)
    {
        var known = families.Select(family => AdapterFamilies.TargetsOf(family.Method, families)!)
            .Where(targets => !targets.AreParameters).ToList();
        if (options.Targets?.FirstOrDefault(word => !known.Any(targets => targets.Has(word))) is { } unknown)
            throw AdapterErrors.UnknownTarget("any family", unknown, known.SelectMany(targets => targets.Words).Distinct());
    }

    // A family that does not take these targets or this architecture has no number, and says why.
    private static MethodRow Count(Architecture architecture, AdapterOptions options, IReadOnlyList<AdapterFamilyEntry> families)
    {
        try
        {
            var plan = AdapterPlan.Of(architecture, options, families);
            var isFoldable = FoldGraph.IsPossible(plan);
            return new MethodRow(
                options.Method, plan.Trainable, isFoldable, isFoldable ? null : AdapterErrors.NotFoldable(options.Method).Message);
        }
        catch (LortaException e)
        {
            return new MethodRow(options.Method, null, Foldable: false, e.Message);
        }
    }

    private static Architecture OfModel(string path) => Architecture.Of(UnderstoodModel.Of(OnnxModel.Load(path)));

    private static Architecture OfNumbers(int? width, int? heads, int? layers, int? kvHeads, int? vocab, int? ffn)
    {
        if (width is not { } d || heads is not { } h || layers is not { } l) throw MethodErrors.Missing();
        return d > 0 && h > 0 && l > 0 && d % h == 0 && (kvHeads ?? h) > 0 && h % (kvHeads ?? h) == 0
            ? new Architecture(d, h, kvHeads ?? h, d / h, l, vocab, ffn)
            : throw MethodErrors.DoNotFit(d, h, kvHeads ?? h);
    }
}

/// <summary>A row of <c>lorta methods</c>.</summary>
internal sealed record MethodRow(string Method, long? Trainable, bool Foldable, string? Reason);

/// <summary>Wrong uses of <c>lorta methods</c>.</summary>
internal static class MethodErrors
{
    public static LortaException Missing() =>
        new(
            "LRT801",
            "methods: give a MODEL, or --width, --heads and --layers.",
            "For instance: lorta methods --width 4096 --heads 32 --layers 32 --targets q,v --rank 4.")
        { IsUsage = true };

    public static LortaException DoNotFit(int width, int heads, int kvHeads) =>
        new(
            "LRT802",
            $"methods: width {width} with {heads} heads and {kvHeads} key/value heads is no transformer.",
            "Heads divide the width, key/value heads divide the heads.")
        { IsUsage = true };
}
