using System.Text.Json;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Adapters.Stored;

/// <summary>What <c>adapter_config.json</c> says: everything that is needed to apply the factors beside it.</summary>
public sealed record AdapterConfig
{
    internal const string FormatName = "lorta-onnx";

    private const int Version = 1;

    private static readonly AdapterJson Json = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter<Orientation>(JsonNamingPolicy.KebabCaseLower) },
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    // Generated readers hand null, or 0, to what a file leaves out: the getters say what that means.

    /// <summary>Always <c>lorta-onnx</c>.</summary>
    public string Format { get => field ?? FormatName; init; }

    /// <summary>Version of this layout.</summary>
    public int FormatVersion { get => field == 0 ? Version : field; init; }

    /// <summary>Family.</summary>
    public required string Method { get; init; }

    /// <summary>Rank r; absent where the family has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Rank { get; init; }

    /// <summary>Numerator of the scale; absent where the family has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Alpha { get; init; }

    /// <summary>The number that updates are multiplied by.</summary>
    public required double Scale { get; init; }

    /// <summary>Adapted matrices, in the order of the options.</summary>
    public required IReadOnlyList<string> Targets { get; init; }

    /// <summary>Adapted layers, in ascending order.</summary>
    public required IReadOnlyList<int> Layers { get; init; }

    /// <summary>LoRTA: which side is split by heads, per matrix.</summary>
    public required IReadOnlyDictionary<string, Orientation> Orientation { get; init; }

    /// <summary>LoRTA: the row of C_H that each head takes, per matrix.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<long>> HeadMap { get; init; }

    /// <summary>The family's own options.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    /// <summary>Rank or α of some sites; absent where they are everywhere the same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<SiteOptions>? Sites { get; init; }

    /// <summary>What draws the factors that are not trained and that the file leaves out; absent where it holds all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FrozenFactors? Frozen { get; init; }

    /// <summary>The model's own parameters that were trained alongside the adapter, by name.</summary>
    public IReadOnlyList<string> Trainables { get => field ?? []; init; }

    /// <summary>Task that it was trained for.</summary>
    public string? Task { get; init; }

    /// <summary>Names of the classes, in the order of the logits.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>The model that it was trained on.</summary>
    public required BaseModel Base { get; init; }

    /// <summary>SHA-256 of the file of tensors, in hexadecimal digits; absent in older adapters.</summary>
    public string? Sha256 { get; init; }

    /// <summary>What wrote it.</summary>
    public string Tool { get => field ?? ThisTool; init; }

    /// <summary>The options that make the same plan again.</summary>
    [JsonIgnore]
    public AdapterOptions AdapterOptions => new()
    {
        Method = Method,
        Rank = Rank ?? new AdapterOptions().Rank,
        Alpha = Alpha ?? new AdapterOptions().Alpha,
        Targets = Targets,
        Layers = Layers.Count == 0 ? LayerChoice.All : LayerChoice.Of(Layers),
        Options = Options,
        Sites = Sites,
        StoredParameters = Trainables,
    };

    internal static AdapterConfig Of(AdapterPlan plan, BaseModel baseModel) => new()
    {
        Method = plan.Options.Method,
        Rank = plan.Family.HasRank ? plan.Options.Rank : null,
        Alpha = plan.Family.HasRank ? plan.Options.Alpha : null,
        Scale = plan.Family.Scale,
        Targets = plan.Sites.Targets,
        Layers = plan.Sites.Layers,
        Orientation = PerMatrix(plan, (heads, site) => heads.OrientationOf(site.Matrix)),
        HeadMap = PerMatrix(plan, (heads, site) => heads.HeadMapOf(site, plan.Sites)),
        Options = plan.Options.Options,
        Sites = plan.Options.Sites,
        Base = baseModel,
    };

    private static string ThisTool { get; } = $"LoRTA.Onnx {typeof(AdapterConfig).Assembly.GetName().Version?.ToString(3)}";

    internal string ToJson() => JsonSerializer.Serialize(this, Json.AdapterConfig) + "\n";

    internal static AdapterConfig Parse(string file, string json)
    {
        try
        {
            var config = JsonSerializer.Deserialize(json, Json.AdapterConfig) ?? throw AdapterErrors.BadConfig(file, "it is empty");
            if (config.Format != FormatName || config.FormatVersion != Version)
                throw AdapterErrors.BadConfig(file, $"format {config.Format} {config.FormatVersion} is not known here");
            config.CheckContents(file);
            var problems = config.AdapterOptions.Problems();
            return problems.Count == 0
                ? config
                : throw AdapterErrors.BadConfig(file, string.Join("; ", problems.Select(problem => $"{problem.Key}: {problem.Text}")));
        }
        catch (JsonException e)
        {
            throw json.Contains("\"peft_type\"", StringComparison.Ordinal)
                ? AdapterErrors.OfPeft(file)
                : AdapterErrors.BadConfig(file, $"it is not an adapter configuration ({JsonProblem.Of(e)})");
        }
    }

    // Lists and tables may hold null where the serialiser does not look.
    private void CheckContents(string file)
    {
        var hole = Targets.Contains(null) ? "targets"
            : HeadMap.FirstOrDefault(pair => pair.Value is null).Key is { } matrix ? $"headMap.{matrix}"
            : Options.FirstOrDefault(pair => pair.Value is null).Key is { } option ? $"options.{option}"
            : Sites?.Contains(null) == true ? "sites"
            : Trainables.Contains(null) ? "trainables"
            : Labels?.Contains(null) == true ? "labels"
            : null;
        if (hole is not null) throw AdapterErrors.BadConfig(file, $"'{hole}' is missing or of the wrong type");
        if (Frozen is { Generator: not FrozenFactors.Lorta1 } drawn)
            throw AdapterErrors.BadConfig(file, $"frozen.generator '{drawn.Generator}' is not known");
        if (Base.Architecture is { IsSensible: false } sizes)
            throw AdapterErrors.BadConfig(file, $"base.architecture has sizes that are not positive ({sizes.Describe()})");
        if (Base.Sketch.Problem() is var (key, text)) throw AdapterErrors.BadConfig(file, $"base.sketch.{key} {text}");
    }

    /// <summary>Refuses a configuration that states another scale, orientation or head map than its options make of the model.</summary>
    /// <exception cref="LortaException">LRT313: what is stated, and what follows.</exception>
    internal void CheckAgainst(AdapterPlan plan, string folder)
    {
        var file = Path.Combine(folder, Adapter.ConfigFile);
        var follows = Of(plan, Base);
        if (plan.Family.HasRank && (Rank is null || Alpha is null))
            throw AdapterErrors.BadConfig(file, $"'{(Rank is null ? "rank" : "alpha")}' is missing");
        if (Layers.Count == 0 && follows.Layers.Count > 0)
            throw AdapterErrors.OtherThanFollows(file, "layers", Array.Empty<long>(), follows.Layers.Select(layer => (long)layer));
        if (plan.Family.Targets.AreParameters && Trainables.Count == 0)
            throw AdapterErrors.BadConfig(file, $"'trainables' names no parameter, and {Method} has nothing else");
        plan.CheckScale(file, Scale);
        foreach (var (matrix, orientation) in follows.Orientation)
            if (!Orientation.TryGetValue(matrix, out var stated) || stated != orientation)
                throw AdapterErrors.OtherThanFollows(
                    file, $"orientation.{matrix}", Orientation.ContainsKey(matrix) ? stated : null, orientation);
        foreach (var (matrix, heads) in follows.HeadMap)
            if (HeadMap.GetValueOrDefault(matrix) is not { } stated || !stated.SequenceEqual(heads))
                throw AdapterErrors.OtherThanFollows(file, $"headMap.{matrix}", HeadMap.GetValueOrDefault(matrix), heads);
    }

    private static SortedDictionary<string, T> PerMatrix<T>(AdapterPlan plan, Func<Lorta, AdapterSite, T> fact)
    {
        var heads = plan.Family as Lorta ?? new Lorta(plan.Options);   // every file states them, whatever its family
        var facts = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (var site in plan.Sites.All.Where(site => site.Heads is not null)) facts[site.Matrix] = fact(heads, site);
        return facts;
    }
}

/// <summary>The model that an adapter was trained on, so that the same model is recognised in another export and another one is
/// refused.</summary>
/// <param name="Name">Name of the file.</param>
/// <param name="Architecture">Sizes; another architecture is refused. Null where they are not known, which fits any.</param>
/// <param name="Sketch">A few numbers of each adapted weight.</param>
public sealed record BaseModel(string Name, Architecture? Architecture, WeightSketch Sketch);

/// <summary>How the factors that are not trained follow from a seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Generator">The rule by which seed and name make numbers: <c>lorta-1</c>.</param>
public sealed record FrozenFactors(long Seed, string Generator)
{
    /// <summary>splitmix64 over a counter from a key that is the SHA-256 of <c>seed/init/name</c>; normal numbers by Box–Muller.</summary>
    internal const string Lorta1 = "lorta-1";
}

// Without reflection, so that programs with this library can be trimmed.
[JsonSerializable(typeof(AdapterConfig))]
internal sealed partial class AdapterJson : JsonSerializerContext;
