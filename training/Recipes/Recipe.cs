using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>Everything that decides a training run; the YAML file of the same keys. Immutable: change it with <c>with</c>.</summary>
[Description("A training run of LoRTA.Onnx. Paths are relative to the recipe's folder.")]
internal sealed record Recipe
{
    /// <summary>A value of <see cref="Tracking"/>: event files for TensorBoard, in the folder <c>tensorboard</c>.</summary>
    public const string TensorBoard = "tensorboard";

    /// <summary>A value of <see cref="Tracking"/>: the file <c>metrics.csv</c>.</summary>
    public const string Csv = "csv";

    [OutsideIdentity, Description("The base model: an .onnx file or a folder that holds exactly one.")]
    public required string Model { get; init; }

    [OutsideIdentity, Description("Folder of the tokenizer's files. Default: the model's folder.")]
    public string? Tokenizer { get; init; }

    [TaskChoice(NotYet = ["dpo"]), Description("What the model is trained for; it decides labels, loss and metrics.")]
    public required string Task { get; init; }

    [Description("Keys of single tasks.")]
    public TaskOptions TaskOptions { get; init; } = new();

    [Description("Every random value is a function of this number, a name and an index.")]
    public long Seed { get; init; }

    [OutsideIdentity, RegularExpression(OrtEngineOptions.DevicePattern), Description(OrtEngineOptions.DeviceHelp)]
    public string Device { get; init; } = "cpu";

    [OutsideIdentity, Description("The run folder. Default: runs/ and the recipe's name.")]
    public string? Output { get; init; }

    [Description("What is trained: one adapter family, its size and its places.")]
    public AdapterOptions Adapter { get; init; } = new();

    [Description("Parameters of the model itself that are trained alongside the adapter.")]
    public IReadOnlyList<TrainablePattern> Trainables { get; init; } = [];

    [Description("The data and how it becomes batches.")]
    public required DataOptions Data { get; init; }

    [Description("Length, optimizer, schedule, evaluation.")]
    public TrainOptions Train { get; init; } = new();

    [OutsideIdentity, Choice(TensorBoard, Csv), Description("Further files of the run's metrics, in addition to metrics.jsonl.")]
    public IReadOnlyList<string> Tracking { get; init; } = [];

    /// <summary>Names of the classes, where the recipe gives them.</summary>
    public IReadOnlyList<string>? Classes() => Data.Labels is { Count: > 0 } labels ? labels : null;

    /// <summary>The same recipe with full paths and nothing left to derive (tokenizer, output).</summary>
    /// <param name="folder">The folder that relative paths start at.</param>
    /// <param name="name">The recipe's name, for the default run folder.</param>
    public Recipe Resolve(string folder, string name)
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

/// <summary>Options of single tasks.</summary>
internal sealed record TaskOptions
{
    [Range(0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true), Description("masked-lm: the share of tokens that is masked.")]
    public double Probability { get; init; } = 0.15;

    [Description("loss: the model's output that is the loss.")]
    public string Output { get; init; } = "loss";
}
