using System.CommandLine;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta predict RECIPE|MODEL --input FILE -o FILE</c>.</summary>
internal sealed class PredictVerb
{
    private const string StandardInput = "-";

    private readonly Argument<string> _subject = Arg.Path(
        "RECIPE|MODEL", "A recipe (.yaml), or a model whose task and labels the adapter, its metadata or its config.json state.");

    private readonly Option<string> _input = Opt.RequiredPath(
        "--input", "The rows, without labels: a file, or - for standard input.", "FILE");

    private readonly Option<string> _output = Opt.Output("The predictions: .jsonl, .csv, else TSV; one row for each row of the input.");
    private readonly Option<string?> _format = new Option<string?>("--format")
    {
        Description = "Format of the input (default: by its extension; of standard input the recipe's, else tsv).",
        HelpName = "NAME",
    }.AcceptOnlyFromAmong("text", "tsv", "csv", "jsonl", "json", "fasta");

    private readonly Option<string[]> _settings = Opt.Settings();
    private readonly Option<string?> _adapter = Opt.Adapter();
    private readonly Option<string?> _model =
        Opt.Path("--model", "With a recipe: another model file, for instance the folded one.", "MODEL");

    private readonly Option<string?> _tokenizer =
        Opt.Path("--tokenizer", "The folder of the tokenizer (default: the recipe's, else the model's).", "DIR");

    private readonly Option<int?> _length = Opt.AtLeastOne(
        Opt.Of<int?>("--max-length", "Longest row in tokens (default: the recipe's, else what the model's files state).", "N"));

    private readonly Option<bool> _allow = Opt.AllowBase();
    private readonly Option<bool> _force = Opt.Force();
    private readonly RuntimeArguments _runtime = new();

    private PredictVerb()
    {
    }

    public static Verb Create()
    {
        var verb = new PredictVerb();
        return Verb.Define("predict", "Predict labels, scores or numbers for rows without labels.", verb.Symbols, verb.Run);
    }

    private IReadOnlyList<Symbol> Symbols =>
    [
        _subject, _input, _output, _adapter, _model, _format, _tokenizer, _length, _settings, _allow, _force, .. _runtime.Symbols,
    ];

    private PredictionReport Run(Call call)
    {
        var path = call.Get(_subject);
        var (recipe, canonical) = IsRecipe(path) ? OfRecipe(call, path) : OfModel(call, path);
        using var engine = _runtime.Engine(call, recipe);
        return Changed(call, recipe).Predict(engine, Options(call) with { Canonical = canonical }, call.Progress, call.Stop);
    }

    private (Recipe Recipe, CanonicalModel? Canonical) OfRecipe(Call call, string path)
    {
        var recipe = RecipeArgument.Load(call, path, call.Get(_settings), (null, null, _runtime.Device(call)));
        if (call.Get(_adapter) is null)
            call.Progress.Report($"Without --adapter, {call.Get(_model) ?? recipe.Model} predicts as it is.");
        return (recipe, null);
    }

    private (Recipe Recipe, CanonicalModel? Canonical) OfModel(Call call, string path)
    {
        if (call.Get(_model) is not null) throw OnlyWithRecipe("--model", "Give the model once.");
        if (call.Get(_settings) is { Length: > 0 }) throw OnlyWithRecipe("--set", "Give a recipe, or use --max-length and --tokenizer.");
        var canonical = CanonicalModel.Of(OnnxModel.Load(path));
        var adapter = call.Get(_adapter) is { } folder ? StoredAdapters.Load(folder, call.Catalog) : null;
        var recipe = Recipe.OfModel(canonical, adapter, call.Get(_tokenizer));
        return (recipe with { Device = _runtime.Device(call) ?? recipe.Device }, canonical);
    }

    private Recipe Changed(Call call, Recipe recipe) => recipe with
    {
        Tokenizer = call.Get(_tokenizer) is { } folder ? Path.GetFullPath(folder) : recipe.Tokenizer,
        Data = recipe.Data with { MaxLength = call.Get(_length) ?? recipe.Data.MaxLength },
    };

    private PredictionOptions Options(Call call)
    {
        var rows = call.Get(_input);
        var isStandardInput = rows == StandardInput;
        return new PredictionOptions
        {
            Adapter = call.Get(_adapter),
            Model = call.Get(_model),
            AllowOtherBase = call.Get(_allow),
            Input = isStandardInput ? "standard input" : rows,
            ReadContent = isStandardInput ? call.ReadInput : null,
            Format = call.Get(_format),
            Output = call.Get(_output),
            Force = call.Get(_force),
            Inputs = IsRecipe(call.Get(_subject)) ? [call.Get(_subject)] : [],
        };
    }

    // What is no model: a typing error in the name of a recipe is said of the recipe.
    private static bool IsRecipe(string path) =>
        !Directory.Exists(path) && !Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase);

    private static LortaException OnlyWithRecipe(string option, string hint) =>
        new("LRT807", $"{option}: is for a recipe; a model was given.", hint) { IsUsage = true };
}
