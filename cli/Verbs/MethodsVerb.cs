using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta methods --width 4096 --heads 32 --layers 32</c> or <c>lorta methods MODEL</c>.</summary>
internal static class MethodsVerb
{
    public static Verb Create()
    {
        var (model, targets, rank, alpha) = (Arg.OptionalModel(), Opt.Targets(), Opt.Rank(), Opt.Alpha());
        var (width, heads, layers, kvHeads) = (Opt.Of<int?>("--width", "Model width d.", "N"), Opt.Of<int?>("--heads", "Query heads H.", "N"), Opt.Of<int?>("--layers", "Layers L.", "N"), Opt.Of<int?>("--kv-heads", "Key/value heads (default: as many as query heads).", "N"));
        var (ffn, vocab) = (Opt.Of<int?>("--ffn", "Width of the feed-forward layer.", "N"), Opt.Of<int?>("--vocab", "Size of the vocabulary.", "N"));
        return Verb.Define("methods", "Count the trainable parameters of every adapter family.", [model, width, heads, layers, kvHeads, ffn, vocab, targets, rank, alpha], call =>
        {
            var architecture = call.Get(model) is { } path
                ? OfModel(path)
                : OfNumbers(call.Get(width), call.Get(heads), call.Get(layers), call.Get(kvHeads), call.Get(vocab));
            return AdapterFamilies.All.Select(family => Count(family, architecture, call.Get(targets), call.Get(rank))).ToList();
        });
    }

    private static MethodRow Count(AdapterFamilyEntry family, Architecture architecture, IReadOnlyList<string> targets, int rank)
    {
        var plan = AdapterPlan.Of(architecture, new AdapterOptions { Method = family.Method, Rank = rank, Targets = targets });
        return new MethodRow(family.Method, plan.Trainable, Foldable: true, null);
    }

    private static Architecture OfModel(string path)
    {
        var model = Model.Load(path);
        return BaseModels.ArchitectureOf(model, AttentionMap.Of(CanonicalModel.Of(model)));
    }

    private static Architecture OfNumbers(int? width, int? heads, int? layers, int? kvHeads, int? vocab)
    {
        if (width is not { } d || heads is not { } h || layers is not { } l) throw MethodErrors.Missing();
        return d > 0 && h > 0 && l > 0 && d % h == 0 && (kvHeads ?? h) > 0 && h % (kvHeads ?? h) == 0
            ? new Architecture(d, h, kvHeads ?? h, d / h, l, vocab)
            : throw MethodErrors.DoNotFit(d, h, kvHeads ?? h);
    }
}

/// <summary>A row of <c>lorta methods</c>.</summary>
internal sealed record MethodRow(string Method, long? Trainable, bool Foldable, string? Reason);

/// <summary>Wrong uses of <c>lorta methods</c>.</summary>
internal static class MethodErrors
{
    public static LortaException Missing() =>
        new("LRT801", "methods: give a MODEL, or --width, --heads and --layers.", "For instance: lorta methods --width 4096 --heads 32 --layers 32 --targets q,v --rank 4.") { IsUsage = true };

    public static LortaException DoNotFit(int width, int heads, int kvHeads) =>
        new("LRT802", $"methods: width {width} with {heads} heads and {kvHeads} key/value heads is no transformer.", "Heads divide the width, key/value heads divide the heads.") { IsUsage = true };
}
