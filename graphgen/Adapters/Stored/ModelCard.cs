using System.Globalization;
using System.Text;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Stored;

/// <summary>The file <c>README.md</c> in an adapter folder, or in the folder of a model that an adapter was folded into: what it is, and
/// how it is used.</summary>
/// <remarks>Everything in it follows from the adapter, so that the same training writes the same text: no times, no paths.</remarks>
internal static class ModelCard
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "README.md";

    private const int MostNames = 8;

    /// <summary>The card of an adapter.</summary>
    public static string OfAdapter(Adapter adapter)
    {
        var config = adapter.Config;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {config.Method} adapter for {Code(config.Base.Name)}\n\n");
        text.Append("An adapter in the format of LoRTA.Onnx: `adapter_model.safetensors` holds its tensors, ");
        text.Append("`adapter_config.json` what they mean.\n\n");
        Table(text, adapter);
        text.Append("## Use\n\nDIR is this folder, MODEL the base model, in this export or another one.\n\n```sh\n");
        if (Trying(config.Task, "MODEL --adapter DIR") is { } line) text.Append(line);
        text.Append(adapter.Folds
            ? "lorta export MODEL --adapter DIR -o merged --verify\n```\n"
            : "lorta export MODEL --adapter DIR -o adapted --keep-base --verify\n```\n");
        return text.ToString();
    }

    /// <summary>The card of a folder that holds a model with an adapter in it.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="file">Name of the model's file.</param>
    /// <param name="keepsBase">Whether the adapter is next to the base's weights instead of being folded into them.</param>
    public static string OfModel(Adapter adapter, string file, bool keepsBase)
    {
        var config = adapter.Config;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {Code(file)} with {An(config.Method)} adapter\n\n");
        text.Append(keepsBase
            ? "The base's weights are unchanged; the adapter was added as side branches by LoRTA.Onnx. "
            : "The adapter was folded into the weights by LoRTA.Onnx. ");
        text.Append("The model has the inputs and outputs of its base and runs wherever that runs.\n\n");
        Table(text, adapter);
        if (Trying(config.Task, "DIR") is { } line)
            text.Append(CultureInfo.InvariantCulture, $"## Use\n\nDIR is this folder.\n\n```sh\n{line}```\n");
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void Table(StringBuilder text, Adapter adapter)
    {
        var config = adapter.Config;
        var factors = adapter.Tensors.Where(pair => TensorName.Parse(pair.Key).Kind != TensorKind.Parameter).ToList();
        var rows = new List<(string Name, string? Value)>
        {
            ("base model", Code(config.Base.Name)),
            ("architecture", config.Base.Architecture?.Describe()),
            ("method", config.Method),
            ("rank", config.Rank?.ToString(CultureInfo.InvariantCulture)),
            ("alpha", config.Alpha?.ToString(CultureInfo.InvariantCulture)),
            ("targets", List(config.Targets)),
            ("layers", List(config.Layers.Select(layer => layer.ToString(CultureInfo.InvariantCulture)))),
            ("parameters of the adapter", factors.Count == 0 ? null : Number(factors.Sum(pair => pair.Value.Count))),
            ("trained parameters of the model", Trained(adapter)),
            ("task", config.Task),
            ("labels", List(config.Labels ?? [])),
        };
        rows.AddRange(adapter.Measured.Select(metric => (metric.Name, (string?)metric.Value)));
        rows.Add(("written by", config.Tool));
        text.Append("| | |\n| --- | --- |\n");
        foreach (var (name, value) in rows.Where(row => !string.IsNullOrEmpty(row.Value)))
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {value!.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        text.Append('\n');
    }

    // A model whose own parameters are trained has hundreds of names.
    private static string? Trained(Adapter adapter)
    {
        var names = adapter.Config.Trainables;
        if (names.Count == 0) return null;
        var count = adapter.Tensors.Where(pair => TensorName.Parse(pair.Key).Kind == TensorKind.Parameter).Sum(pair => pair.Value.Count);
        var listed = names.Count > MostNames ? $" in {Number(names.Count)} tensors" : $": {List(names.Select(Code))}";
        return Number(count) + listed;
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string? Trying(string? task, string model) => task switch
    {
        "classification" or "regression" or "token-classification" =>
            $"lorta predict {model} --input rows.tsv -o predictions.tsv\n",
        "causal-lm" => $"lorta generate {model} --prompt \"…\"\n",
        _ => null,
    };

    private static string An(string method) => "aeiou".Contains(method[0], StringComparison.Ordinal) ? $"an {method}" : $"a {method}";

    private static string Code(string name) => $"`{name.Replace('`', '\'')}`";

    private static string List(IEnumerable<string> words) => string.Join(", ", words);
}
