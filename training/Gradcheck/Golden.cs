using System.Text.Json;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>A golden: factors, and what float64 arithmetic made of them.</summary>
internal sealed class Golden
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter<Orientation>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>A golden is about single steps, not about a training.</summary>
    private const long MostSteps = 1000;

    private const string Grad = "grad.";

    private readonly string _path;
    private readonly string _json;
    private readonly Facts _facts;

    private Golden((string Tensors, string Json) paths, Facts facts, Safetensors file)
    {
        _path = paths.Tensors;
        _json = paths.Json;
        _facts = facts;
        Tensors = file.Tensors;
    }

    public IReadOnlyDictionary<string, OnnxTensor> Tensors { get; }

    public double Loss => _facts.Loss;

    public double GradNorm => _facts.GradNorm;

    public string Task => _facts.LossName;

    public IReadOnlyList<long> After => _facts.After ?? [];

    /// <summary>Name of the batch's file.</summary>
    public string? Batch => _facts.Batch;

    /// <summary>Opens <c>case.safetensors</c> with <c>case.json</c> beside it.</summary>
    public static Golden Load(string path)
    {
        var json = Path.ChangeExtension(path, ".json");
        if (!RealPath.HasFile(json)) throw FileErrors.NotFound(json);
        try
        {
            var facts = JsonSerializer.Deserialize<Facts>(File.ReadAllText(json), Json) ?? throw FileErrors.Corrupt(json, "is empty");
            if (facts.Problem() is { } problem) throw FileErrors.Corrupt(json, problem);
            return new Golden((path, json), facts, Safetensors.Load(path));
        }
        catch (JsonException e)
        {
            throw FileErrors.Corrupt(json, $"is not a golden ({JsonProblem.Of(e)})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(json, e);
        }
    }

    /// <summary>Refuses a golden whose tensors cannot be compared with what is trained. It may hold the first rows of a tensor
    /// only.</summary>
    /// <exception cref="LortaException">LRT309: a gradient is missing; LRT308: a tensor is no part of what it belongs to.</exception>
    public void Check(IEnumerable<TrainedTensor> trained, IEnumerable<AdapterSite> sites)
    {
        foreach (var tensor in trained)
        {
            var (key, count) = (tensor.Input.Name, tensor.Initial.Count);
            var gradient = Tensors.GetValueOrDefault($"grad.{key}") ?? throw AdapterErrors.FactorMissing(_path, $"grad.{key}");
            CheckPart($"grad.{key}", count);
            foreach (var step in After) CheckPart($"after{step}.{key}", gradient.Count);
        }
        foreach (var site in sites) CheckPart($"delta.{site.Address}", (long)site.In * site.Out);
    }

    private void CheckPart(string name, long most)
    {
        if (Tensors.GetValueOrDefault(name) is { } tensor && (!tensor.Type.IsFloat() || tensor.Count == 0 || tensor.Count > most))
            throw AdapterErrors.FactorShape(_path, name, FormattableString.Invariant($"1 to {most} floats"), tensor.ToString());
    }

    /// <summary>What was trained, and how.</summary>
    /// <param name="model">The model.</param>
    /// <param name="catalog">Families to choose from.</param>
    /// <param name="names">The model's parameters; null = derived from the file.</param>
    public TrainingOptions ToOptions(
        UnderstoodModel model, LortaCatalog catalog, IReadOnlyList<ParameterName>? names = null)
    {
        var adapter = Adapter(Architecture.OrUnknown(model), catalog);
        var plan = AdapterPlan.Of(model, adapter, catalog, names);
        if (_facts.Scale is { } scale) plan.CheckScale(_json, scale);
        var own = plan.Factors.Select(factor => factor.Name).ToHashSet(StringComparer.Ordinal);
        var extra = Tensors.Keys.Select(TensorName.Parse).Where(key => key.Kind == TensorKind.Factor && !own.Contains(key.Name))
            .Select(key => key.Name).ToList();
        if (_facts.Head is { } head && !extra.Any(name => name.StartsWith($"{head}.", StringComparison.Ordinal)))
            throw AdapterErrors.FactorMissing(_path, $"factor.{head}.*");
        var values = own.ToDictionary(name => name, Value, StringComparer.Ordinal);
        foreach (var name in extra.Where(name => Tensors.ContainsKey(new TensorName(TensorKind.Factor, name))))
            values[new TensorName(TensorKind.Parameter, name)] = Value(name);
        if (plan.Family.Targets.AreParameters) extra = [];   // all of them are the family's
        var optimizer = _facts.Optimizer;
        return new TrainingOptions
        {
            Adapter = adapter,
            Task = Task,
            Trainables =
            [
                .. extra.Select(name => new TrainablePattern
                {
                    Match = name,
                    LearningRate = optimizer.HeadLr,
                    WeightDecay = optimizer.HeadWeightDecay,
                }),
            ],
            Optimizer = new OptimizerOptions
            {
                LearningRate = optimizer.Lr,
                Betas = optimizer.Betas,
                Epsilon = optimizer.Eps,
                WeightDecay = optimizer.Weight_decay,
                Clip = optimizer.ClipGlobalNorm,
            },
            Names = names,
            Values = values,
        };
    }

    // A head map that is not stated is the identity, whatever the model's heads.
    private AdapterOptions Adapter(Architecture architecture, LortaCatalog catalog) => new()
    {
        Method = _facts.Method,
        Rank = _facts.Rank ?? new AdapterOptions().Rank,
        Alpha = _facts.Alpha ?? new AdapterOptions().Alpha,
        Targets = _facts.Targets,
        StoredParameters = [.. Tensors.Keys.Where(key => key.StartsWith(Grad, StringComparison.Ordinal)).Select(key => key[Grad.Length..])],
        Heads = new StatedHeads
        {
            Orientations = _facts.Orientation ?? [],
            HeadMaps = _facts.Targets.Distinct(StringComparer.Ordinal).Where(matrix => architecture.HeadsOf(matrix) is not null)
                .ToDictionary(
                    matrix => matrix,
                    matrix => _facts.HeadMap?.GetValueOrDefault(matrix)
                        ?? [.. Enumerable.Range(0, architecture.HeadsOf(matrix)!.Value).Select(head => (long)head)],
                    StringComparer.Ordinal),
        },
        Options = (_facts.Options ?? []).Concat(StatedApart(catalog))
            .ToDictionary(option => option.Key, option => option.Value.ToString(), StringComparer.Ordinal),
    };

    // Options of the family that goldens state as facts of their own, such as ttRank.
    private IEnumerable<KeyValuePair<string, JsonElement>> StatedApart(LortaCatalog catalog)
    {
        var known = catalog.FamilyOf(_facts.Method)?.Options.Select(option => option.Name) ?? [];
        return (_facts.Further ?? []).Where(fact => known.Contains(fact.Key) && _facts.Options?.ContainsKey(fact.Key) != true);
    }

    private OnnxTensor Value(string name) => Tensors.GetValueOrDefault(new TensorName(TensorKind.Factor, name).ToString())
        ?? Tensors.GetValueOrDefault(new TensorName(TensorKind.Frozen, name).ToString())
        ?? throw AdapterErrors.FactorMissing(_path, new TensorName(TensorKind.Factor, name));

    private sealed record Facts
    {
        public double Loss { get; init; }

        public double GradNorm { get; init; }

        public required string Method { get; init; }

        public int? Rank { get; init; }

        public double? Alpha { get; init; }

        public double? Scale { get; init; }

        public required IReadOnlyList<string> Targets { get; init; }

        public Dictionary<string, Orientation>? Orientation { get; init; }

        public Dictionary<string, IReadOnlyList<long>>? HeadMap { get; init; }

        /// <summary>The module of the model that trained alongside the adapter.</summary>
        public string? Head { get; init; }

        public Dictionary<string, JsonElement>? Options { get; init; }

        public required string LossName { get; init; }

        public string? Batch { get; init; }

        public IReadOnlyList<long>? After { get; init; }

        public required OptimizerFacts Optimizer { get; init; }

        /// <summary>What only some methods state.</summary>
        [JsonExtensionData]
        public Dictionary<string, JsonElement>? Further { get; init; }

        /// <summary>What no golden can say; null = nothing.</summary>
        public string? Problem()
        {
            if (Targets.Any(string.IsNullOrEmpty)) return "'targets' names a matrix without a letter";
            if (Optimizer.Betas.Count != 2) return "'optimizer.betas' should be two numbers";
            return (After ?? []).Where(step => step is < 1 or > MostSteps).Cast<long?>().FirstOrDefault() is { } step
                ? FormattableString.Invariant($"'after' names step {step}, which is not from 1 to {MostSteps}")
                : null;
        }
    }

    private sealed record OptimizerFacts
    {
        public double Lr { get; init; }

        public required IReadOnlyList<double> Betas { get; init; }

        public double Eps { get; init; }

        public double Weight_decay { get; init; }

        public double? ClipGlobalNorm { get; init; }

        public double? HeadLr { get; init; }

        public double? HeadWeightDecay { get; init; }
    }
}
