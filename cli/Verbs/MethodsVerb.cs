using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Counting;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta methods --width 4096 --heads 32 --layers 32</c> or <c>lorta methods MODEL</c>.</summary>
internal static class MethodsVerb
{
    private const int Largest = 10_000_000;
    private const int MostLayers = 10_000;   // one factor after the other is counted

    public static Verb Create(LortaCatalog catalog)
    {
        var model = Arg.OptionalModel();
        var targets = Opt.Targets();
        var rank = Opt.Rank();
        var options = Opt.FamilyOptions(
            $"A family's own option; other families ignore it.\n{AdapterArguments.FamilyOptionsInWords(catalog)}");
        var width = Size("--width", "Model width d.");
        var heads = Size("--heads", "Query heads H.");
        var layers = Opt.Within(Opt.Of<int?>("--layers", "Layers L.", "N"), 1, MostLayers);
        var kvHeads = Size("--kv-heads", "Key/value heads (default: as many as query heads).");
        var vocab = Size("--vocab", "Size of the vocabulary.");
        var ffn = Size("--ffn", "Width of the MLP, for the targets gate, up and down.");
        var asMarkdown = Opt.Of<bool>("--table", "Write Markdown.");
        return Verb.Define(
            "methods",
            "Compare the adapter families: what they change, how much they train, whether they fold.",
            [model, width, heads, layers, kvHeads, ffn, vocab, targets, rank, options, asMarkdown],
            call =>
            {
                var asked = new AdapterOptions
                {
                    Rank = call.Get(rank),
                    Targets = call.Given(targets),
                    Options = AdapterArguments.Named(call.Get(options)),
                };
                var understood = call.Get(model) is { } path ? UnderstoodModel.Of(OnnxModel.Load(path)) : null;
                var table = understood is null
                    ? MethodTable.Of(OfSizes(), asked, call.Catalog)
                    : MethodTable.Of(understood, asked, call.Catalog);
                var result = new MethodsResult(table)
                {
                    Parameters = understood is null ? null : ParameterCount.Of(understood.Canonical),
                };
                if (!call.Get(asMarkdown)) return result;
                call.Text.Write(result.ToMarkdown());
                return result with { IsShown = true };

                Architecture OfSizes() => OfNumbers(
                    call.Get(width), call.Get(heads), call.Get(layers), call.Get(kvHeads), call.Get(vocab), call.Get(ffn));
            });
    }

    private static Option<int?> Size(string name, string description) => Opt.Within(Opt.Of<int?>(name, description, "N"), 1, Largest);

    private static Architecture OfNumbers(int? width, int? heads, int? layers, int? kvHeads, int? vocab, int? ffn)
    {
        if (width is not { } d || heads is not { } h || layers is not { } l) throw MethodErrors.Missing();
        return d > 0 && h > 0 && l > 0 && d % h == 0 && (kvHeads ?? h) > 0 && h % (kvHeads ?? h) == 0
            ? new Architecture(d, h, kvHeads ?? h, d / h, l, vocab, ffn)
            : throw MethodErrors.DoNotFit(d, h, kvHeads ?? h);
    }
}

/// <summary>The families side by side, for people and for scripts.</summary>
internal sealed record MethodsResult(MethodTable Table) : IDocument
{
    /// <summary>Whether it was written already.</summary>
    public bool IsShown { get; init; }

    /// <summary>Parameters of the model; null where only sizes were given.</summary>
    public long? Parameters { get; init; }

    public JsonNode ToJson()
    {
        var rows = JsonSerializer.SerializeToNode(Table.Rows, Results.Json)!.AsArray();
        foreach (var (json, row) in rows.Zip(Table.Rows))
        {
            json!["percentOfModel"] = 100.0 * row.Trainable / Parameters;
            json["adapterBytes"] = Bytes(row);
        }
        return rows;
    }

    public object? ToTable() => IsShown ? null : new OrderedDictionary<string, object?>(StringComparer.Ordinal)
    {
        ["parameters of the model"] = Parameters,
        [$"Trained parameters at rank r; share of the model and size of the adapter's file at {RankText(Table.Rank)}"] =
            Table.Rows.Select(row => new OrderedDictionary<string, string?>(CountsOf(row, withSizes: true), StringComparer.Ordinal)),
        ["Why not"] = Table.Rows.Where(row => row.Reason is not null).Select(row => new { row.Method, row.Reason }),
        ["What they do to a layer"] = Table.Rows.Select(row => new { row.Method, row.Formula }),
        ["What one tensor of LoRTA spans (option share)"] = Shares(),
        ["Remarks"] = Table.Rows.Where(row => row.Remark is not null).Select(row => new { row.Method, row.Remark }),
    };

    /// <summary>The same in Markdown.</summary>
    public string ToMarkdown()
    {
        var rows = Table.Rows.Select(row => new OrderedDictionary<string, string?>(CountsOf(row), StringComparer.Ordinal)
        {
            ["method"] = $"`{row.Method}`",
            ["what it does to a layer"] = row.Formula,
        });
        return string.Join(
            '\n',
            [
                Markdown(rows),
                Markdown(Shares()),
                .. Table.Rows.Where(row => row.Remark is not null).Select(row => $"`{row.Method}`: {row.Remark}\n"),
            ]);
    }

    private OrderedDictionary<string, string?> CountsOf(MethodRow row, bool withSizes = false)
    {
        var cells = new OrderedDictionary<string, string?>(StringComparer.Ordinal) { ["method"] = row.Method };
        foreach (var count in row.Counts) cells[RankText(count.Rank)] = Number(count.Trainable);
        if (withSizes)
        {
            cells["of model"] = Parameters is { } all && row.Trainable is { } trained ? Numbers.Percent((double)trained / all) : null;
            cells["file"] = Bytes(row) is { } bytes ? Numbers.Bytes(bytes) : null;
        }
        cells["folds"] = row.Foldable ? "yes" : row.Trainable is null ? null : "no";
        return cells;
    }

    private IEnumerable<OrderedDictionary<string, string?>> Shares() =>
        from row in Table.Rows
        from share in row.Shares
        select new OrderedDictionary<string, string?>(StringComparer.Ordinal)
        {
            ["share"] = share.Share,
            [RankText(Table.Rank)] = Number(share.Trainable),
            ["saved against LoRA on q k v p"] = string.Create(CultureInfo.InvariantCulture, $"{100 * share.Saving:F2} %"),
        };

    private static string Markdown(IEnumerable<IReadOnlyDictionary<string, string?>> rows)
    {
        var cells = rows.ToList();
        return cells.Count == 0 ? string.Empty : MarkdownTable.Of([.. cells[0].Keys], cells.Select(row => row.Values.ToList()));
    }

    // Factors are stored as float32.
    private static long? Bytes(MethodRow row) => sizeof(float) * row.Trainable;

    private static string RankText(int rank) => string.Create(CultureInfo.InvariantCulture, $"r {rank}");

    private static string? Number(long? number) => number?.ToString("N0", CultureInfo.InvariantCulture);
}

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
            $"methods: width {width} with {heads} heads and {kvHeads} key/value heads is not a transformer.",
            "Heads divide the width, key/value heads divide the heads.")
        { IsUsage = true };
}
