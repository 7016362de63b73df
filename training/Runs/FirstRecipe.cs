using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Writes a first recipe for a model: commented, with everything but the data filled in.</summary>
public sealed partial class FirstRecipe
{
    private const int ShortRow = 128;
    private const int NarrowModel = 512;

    private static readonly string[] Letters = ["q", "k", "v", "p"];

    private static readonly JsonSerializerOptions Quoted = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly UnderstoodModel _model;
    private readonly ModelConfig _config;
    private readonly string _task;
    private readonly string _folder;
    private readonly StringBuilder _text = new();

    private FirstRecipe(UnderstoodModel model, string task, string folder)
    {
        (_model, _task, _folder) = (model, task, folder);
        _config = ModelConfig.Beside(model.Deployed);
    }

    /// <summary>The tasks that recipes are written for.</summary>
    public static IReadOnlyList<string> Tasks { get; } = [.. TrainingTasks.All.Select(task => task.Name)];

    /// <summary>Writes the recipe as a file.</summary>
    /// <param name="model">The model: a file or a folder.</param>
    /// <param name="task">The task; null = the one that the model's outputs are for.</param>
    /// <param name="path">The file.</param>
    /// <param name="force">Whether an existing file may be replaced.</param>
    /// <returns>The task.</returns>
    /// <exception cref="LortaException">LRT102, LRT123, LRT701: the place is taken; LRT201: a model without attention; LRT635: nothing
    /// tells the task; LRT411, LRT412: an unknown task, or one that the outputs are not for.</exception>
    public static string Write(string model, string? task, string path, bool force = false)
    {
        new OutputGuard(force, []).CheckFile(path);
        var understood = UnderstoodModel.Of(OnnxModel.Load(model));
        new OutputGuard(force: true, understood.Deployed.Files).CheckInputs(path);
        var (text, found) = Of(understood, model, task, path);
        AtomicFile.WriteText(path, text);
        return found;
    }

    /// <summary>The recipe as a text.</summary>
    /// <param name="model">The model.</param>
    /// <param name="argument">The model as it was given: a file or a folder.</param>
    /// <param name="task">The task; null = the one that the model's outputs are for.</param>
    /// <param name="path">The file that the recipe is for.</param>
    /// <returns>Its text and the task.</returns>
    /// <exception cref="LortaException">LRT201: a model without attention; LRT635: nothing tells the task; LRT411, LRT412: an unknown
    /// task, or one that the outputs are not for.</exception>
    internal static (string Text, string Task) Of(UnderstoodModel model, string argument, string? task, string path)
    {
        if (!model.Map.HasAttention) throw DiscoveryErrors.NoAttention(model.Deployed.Path);
        var config = ModelConfig.Beside(model.Deployed);
        var found = task is not null
            ? LortaCatalog.Default.LossOf(task).Name
            : TasksOfModels.Guess(model.Canonical, config, ModelLabels.Of(model.Deployed) ?? config.Labels)
                ?? throw TrainingErrors.NoTask(model.Deployed.Path, string.Join(", ", model.Deployed.Graph.Outputs));
        EvaluationGraph.Of(model.Canonical, found, output: null, LortaCatalog.Default);   // refuses a task that the outputs are not for
        var recipe = new FirstRecipe(model, found, Path.GetDirectoryName(Path.GetFullPath(path))!);
        recipe.Write(argument, path);
        return (recipe._text.ToString(), found);
    }

    private void Write(string argument, string path)
    {
        Line($"# A first recipe for {_model.Deployed.FileName}. Fill in `data`, then:");
        Line($"# lorta train {ShellPath.Quoted(Path.GetFileName(path))}");
        Line("# `lorta schema recipe` lists all keys.");
        Line($"model: {Relative(argument)}");
        WriteTokenizer();
        Line($"task: {_task}");
        WriteAdapter();
        WriteData();
        WriteTraining();
    }

    private void WriteTokenizer()
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(_model.Deployed.Path))!;
        try
        {
            TextTokenizer.Load(folder);
        }
        catch (LortaException)
        {
            Line($"tokenizer: {Relative(folder)}   # fill in: the folder of the model's tokenizer (tokenizer.json, vocab.txt, …)");
        }
    }

    private void WriteAdapter()
    {
        var letters = Letters.Where(letter => _model.Map.Layers.All(layer => layer[letter] is not null));
        Line();
        Line("adapter:");
        Line("  method: lorta               # `lorta methods MODEL` compares the families");
        Line("  rank: 8                     # 4 to 64; more learns more and costs more");
        Line("  alpha: 16                   # updates are multiplied by alpha / rank");
        Line($"  targets: [{string.Join(", ", letters)}]       # queries, keys, values, output projection of attention");
        var heads = ClassifierHead.Of(_model.Deployed, _task).Modules;
        if (heads.Count == 0) return;
        Line();
        Line("trainables:                   # the head is trained as well: for new labels it starts untrained");
        foreach (var head in heads) Line($"  - {ClassifierHead.PatternOf(head)}");
    }

    private void WriteData()
    {
        var isText = TrainingTasks.Find(_task)!.Labels == LabelKind.Token && _task != "token-classification";
        Line();
        Line("data:");
        Line($"  train: {(isText ? "train.txt" : "train.tsv")}            # fill in: .txt, .tsv, .csv, .jsonl, .json or .fasta");
        Line("  validationFraction: 0.1     # or validation: FILE");
        if (_task == "causal-lm") WriteLanguage();
        else if (isText) Line("  columns: { text: text }     # of a table: its column of texts; of FASTA: sequence");
        else WriteColumns();
        var length = Math.Min(RowLength.LimitOf(_model.Deployed, tokenizer: null)?.Tokens ?? ShortRow, ShortRow);
        Line($"  maxLength: {Number(length)}              # longest row in tokens; longer ones are cut");
        if (_task == "causal-lm")
            Line("  packing: true               # entries joined and cut into rows of maxLength; false: a row for each");
    }

    private void WriteLanguage()
    {
        Line("  # Text files: entries are separated by blank lines. For prompts and answers in a table, and then with");
        Line("  # packing: false below, so that each is a row of its own:");
        Line("  # template: { prompt: \"{question}\\n\", completion: \"{answer}\" }");
    }

    private void WriteColumns()
    {
        var isToken = _task == "token-classification";
        var others = isToken ? string.Empty : ", of pairs also pair: NAME";
        Line($"  columns: {{ text: text, label: label }}   # your columns{others}; text of FASTA: sequence");
        if (_task == "regression") return;
        var labels = ModelLabels.Of(_model.Deployed) ?? _config.Labels;
        if (labels is not null) Line($"  labels: [{string.Join(", ", labels.Select(Scalar))}]   # in the order of their numbers");
        else Line("  # labels: [negative, positive]   # where labels are text: the classes, in the order of their numbers");
    }

    private void WriteTraining()
    {
        var (rate, metric) = (RateOf(_model.Map.Hidden), TrainingTasks.Find(_task)!.MetricNames.FirstOrDefault() ?? "loss");
        Line();
        Line("train:");
        Line("  epochs: 3                   # or steps: 300");
        Line($"  batchSize: {(_task == "causal-lm" ? 8 : 16)}");
        Line($"  optimizer: {{ name: adamw, lr: {rate} }}   # LoRTA learns with 1e-3 to 2e-2, LoRA with 1e-4 to 5e-3");
        Line("  schedule: { name: linear, warmupRatio: 0.06 }");
        Line("  evaluateEvery: epoch");
        Line($"  keepBest: {(metric == "perplexity" ? "loss" : metric)}             # the evaluation whose adapter is kept");
    }

    // What the project's own recipes learned well with: a language model moves all logits, a head learns along.
    private string RateOf(int width) =>
        TrainingTasks.Find(_task)!.Predictions is not null ? "2e-3" : width <= NarrowModel ? "1e-2" : "5e-3";

    private string Relative(string path) =>
        Scalar(Path.GetRelativePath(_folder, Path.GetFullPath(path)).Replace(Path.DirectorySeparatorChar, '/'));

    // JSON's strings are YAML's too.
    private static string Scalar(string text) => Plain().IsMatch(text) ? text : JsonSerializer.Serialize(text, Quoted);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Line(string text = "") => _text.Append(text).Append('\n');

    [GeneratedRegex(
        @"^(?!(?:true|false|null|yes|no|on|off)$)[A-Za-z./_][\w./-]*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
