using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Predictions;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training;

/// <summary>Everything that decides a training run; the YAML file of the same keys. Immutable: change it with <c>with</c>.</summary>
[Description("A training run of LoRTA.Onnx. Paths are relative to the recipe's folder.")]
public sealed record Recipe
{
    /// <summary>A value of <see cref="Tracking"/>: event files for TensorBoard, in the folder <c>tensorboard</c>.</summary>
    public const string TensorBoard = "tensorboard";

    /// <summary>A value of <see cref="Tracking"/>: the file <c>metrics.csv</c>.</summary>
    public const string Csv = "csv";

    /// <summary>The base model: an .onnx file or a folder that holds exactly one.</summary>
    [OutsideIdentity, Description("The base model: an .onnx file or a folder that holds exactly one.")]
    public required string Model { get; init; }

    /// <summary>Folder of the tokenizer's files. Default: the model's folder.</summary>
    [OutsideIdentity, Description("Folder of the tokenizer's files. Default: the model's folder.")]
    public string? Tokenizer { get; init; }

    /// <summary>What the model is trained for; it decides labels, loss and metrics.</summary>
    [TaskChoice(NotYet = ["dpo"]), Description("What the model is trained for; it decides labels, loss and metrics.")]
    public required string Task { get; init; }

    /// <summary>Keys of single tasks.</summary>
    [Description("Keys of single tasks.")]
    public TaskOptions TaskOptions { get; init; } = new();

    /// <summary>Every random value is a function of this number, a name and an index.</summary>
    [Description("Every random value is a function of this number, a name and an index.")]
    public long Seed { get; init; }

    /// <summary>Where to compute: cpu, cuda or cuda:N.</summary>
    [OutsideIdentity, RegularExpression(OrtEngineOptions.DevicePattern), Description(OrtEngineOptions.DeviceHelp)]
    public string Device { get; init; } = "cpu";

    /// <summary>The run folder. Default: runs/ and the recipe's name.</summary>
    [OutsideIdentity, Description("The run folder. Default: runs/ and the recipe's name.")]
    public string? Output { get; init; }

    /// <summary>What is trained: one adapter family, its size and its places.</summary>
    [Description("What is trained: one adapter family, its size and its places.")]
    public AdapterOptions Adapter { get; init; } = new();

    /// <summary>Parameters of the model itself that are trained alongside the adapter.</summary>
    [Description("Parameters of the model itself that are trained alongside the adapter.")]
    public IReadOnlyList<TrainablePattern> Trainables { get; init; } = [];

    /// <summary>The data and how it becomes batches.</summary>
    [Description("The data and how it becomes batches.")]
    public required DataOptions Data { get; init; }

    /// <summary>Length, optimizer, schedule, evaluation.</summary>
    [Description("Length, optimizer, schedule, evaluation.")]
    public TrainOptions Train { get; init; } = new();

    /// <summary>Further files of the run's metrics, in addition to metrics.jsonl.</summary>
    [OutsideIdentity, Choice(TensorBoard, Csv), Description("Further files of the run's metrics, in addition to metrics.jsonl.")]
    public IReadOnlyList<string> Tracking { get; init; } = [];

    /// <summary>Whether it was made for a model that came without one, so that rows decide about their columns.</summary>
    internal bool IsBare { get; init; }

    /// <summary>Reads and checks a recipe.</summary>
    /// <param name="path">The YAML file; relative paths in it start at its folder.</param>
    /// <param name="overrides">Settings <c>path.to.key=value</c> that replace or add keys; values are YAML, paths start at the current
    /// folder.</param>
    /// <param name="catalog">Families and losses to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <returns>The recipe with full paths.</returns>
    /// <exception cref="LortaException">LRT101: no such file; LRT550: every problem at once; LRT551: no YAML; LRT552: an override that is
    /// no setting; LRT553: a model or a run.</exception>
    public static Recipe Load(string path, IReadOnlyList<string>? overrides = null, LortaCatalog? catalog = null) =>
        RecipeFile.Load(path, catalog ?? LortaCatalog.Default, overrides);

    /// <summary>A recipe to predict with a model that comes without one: task, labels and lengths as its adapter, its metadata and the
    /// files beside it say.</summary>
    /// <param name="model">The model, as it is understood.</param>
    /// <param name="adapter">Its adapter; null = none.</param>
    /// <param name="tokenizer">The folder of the tokenizer; null = the model's.</param>
    /// <exception cref="LortaException">LRT630: a model without a head; LRT631: an adapter of another task; LRT634: several labels for a
    /// text.</exception>
    public static Recipe OfModel(CanonicalModel model, Adapter? adapter = null, string? tokenizer = null) =>
        BareModel.ToRecipe(model, adapter, tokenizer);

    /// <summary>Writes the recipe as YAML, every key written out.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <exception cref="LortaException">LRT104: it cannot be written.</exception>
    public void Save(string path) => RecipeFile.Save(path, this);

    /// <summary>The recipe as YAML, every key written out.</summary>
    public string ToYaml() => RecipeFile.ToYaml(this);

    /// <summary>Names of the classes, where the recipe gives them.</summary>
    internal IReadOnlyList<string>? Classes() => Data.Labels is { Count: > 0 } labels ? labels : null;

    /// <summary>The same with full paths, for one that was made in code: they start at the current folder.</summary>
    internal Recipe Resolved() => IsBare ? this : Resolved(Directory.GetCurrentDirectory(), "run");

    /// <summary>The same recipe with full paths and nothing left to derive (tokenizer, output).</summary>
    /// <param name="folder">The folder that relative paths start at.</param>
    /// <param name="name">The recipe's name, for the default run folder.</param>
    internal Recipe Resolved(string folder, string name)
    {
        string Full(string path) => Path.GetFullPath(path, Path.GetFullPath(folder));
        var model = Full(Model);
        return this with
        {
            Model = model,
            Tokenizer = Tokenizer is null ? (Directory.Exists(model) ? model : Path.GetDirectoryName(model)) : Full(Tokenizer),
            Output = Full(Output ?? Path.Join("runs", name)),
            Adapter = Adapter with { From = Adapter.From is null ? null : Full(Adapter.From) },
            Data = Data with
            {
                Train = Full(Data.Train),
                Validation = Data.Validation is null ? null : Full(Data.Validation),
            },
        };
    }
}
