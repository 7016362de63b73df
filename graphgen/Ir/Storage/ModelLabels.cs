using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Names of a model's classes where other tools look for them: in its metadata and in the <c>config.json</c> beside it.</summary>
internal static class ModelLabels
{
    /// <summary>Key of an object from class index to name, as Hugging Face writes it.</summary>
    public const string IdToLabel = "id2label";

    private const string LabelToId = "label2id";
    private const string ProblemType = "problem_type";
    private const string TaskKey = "task";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The names in a model's metadata; null where it has none.</summary>
    public static IReadOnlyList<string>? Of(OnnxModel model)
    {
        if (!model.Metadata.TryGetValue(IdToLabel, out var json)) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            return Parse(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The task in a model's metadata; null where it has none.</summary>
    public static string? TaskOf(OnnxModel model) => model.Metadata.GetValueOrDefault(TaskKey);

    /// <summary>Writes task and names into a model's metadata.</summary>
    public static void Write(OnnxModel model, string? task, IReadOnlyList<string> labels)
    {
        if (task is not null) model.Metadata[TaskKey] = task;
        model.Metadata[IdToLabel] = Names(labels).ToJsonString(Compact);
        model.Metadata[LabelToId] = Indices(labels).ToJsonString(Compact);
    }

    /// <summary>A <c>config.json</c> with the names; its other keys stay as they are, in their order, but for a kind of problem that
    /// the task is not.</summary>
    /// <param name="config">The file's text; null = there is none yet.</param>
    /// <param name="labels">The names.</param>
    /// <param name="task">What the adapter was trained for; null = not stated.</param>
    /// <exception cref="JsonException">It is no JSON object, or one with a key twice.</exception>
    public static string InConfig(string? config, IReadOnlyList<string> labels, string? task)
    {
        var root = config is null ? new JsonObject()
            : JsonNode.Parse(config, documentOptions: Strict) as JsonObject ?? throw new JsonException("it is not an object");
        root[IdToLabel] = Names(labels);
        root[LabelToId] = Indices(labels);
        if (root[ProblemType] is JsonValue && task == "classification") root[ProblemType] = "single_label_classification";
        return root.ToJsonString(Json) + "\n";
    }

    /// <summary>The names of an object from index to name; null where an index is missing or is none.</summary>
    public static IReadOnlyList<string>? Parse(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) return null;
        var names = new SortedDictionary<int, string>();
        foreach (var member in json.EnumerateObject())
        {
            if (!int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)) return null;
            if (member.Value.ValueKind != JsonValueKind.String) return null;
            names[index] = member.Value.GetString()!;
        }
        return names.Count > 0 && names.Keys.Last() == names.Count - 1 ? [.. names.Values] : null;
    }

    // Of a key that is given twice nobody knows which value counts.
    private static JsonDocumentOptions Strict => new() { AllowDuplicateProperties = false };

    private static JsonSerializerOptions Compact { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonObject Names(IReadOnlyList<string> labels) =>
        new(labels.Select((label, index) => KeyValuePair.Create(Text(index), (JsonNode?)label)));

    // Of two classes of one name, the later.
    private static JsonObject Indices(IReadOnlyList<string> labels)
    {
        var indices = new JsonObject();
        foreach (var (index, label) in labels.Index()) indices[label] = index;
        return indices;
    }

    private static string Text(int index) => index.ToString(CultureInfo.InvariantCulture);
}
