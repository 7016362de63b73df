using System.Text.Json;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.Training.Checks;

/// <summary>A golden: factors, and what float64 arithmetic made of them.</summary>
internal sealed class Golden
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly string _path;
    private readonly Facts _facts;

    private Golden(string path, Facts facts, Safetensors file) => (_path, _facts, Tensors) = (path, facts, file.Tensors);

    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

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
        if (!File.Exists(json)) throw FileErrors.NotFound(json);
        try
        {
            var facts = JsonSerializer.Deserialize<Facts>(File.ReadAllText(json), Json) ?? throw FileErrors.Corrupt(json, "is empty");
            return new Golden(path, facts, Safetensors.Load(path));
        }
        catch (JsonException e)
        {
            throw FileErrors.Corrupt(json, $"is no golden ({e.Message.Split('.')[0]})");
        }
    }

    /// <summary>The golden's name of a trained tensor: parameters of the model go without prefix.</summary>
    public static string Key(string name) => name.StartsWith(TrainingNames.Parameter, StringComparison.Ordinal) ? name[TrainingNames.Parameter.Length..] : name;

    /// <summary>What was trained, and how.</summary>
    public TrainingSpec Spec(Architecture architecture)
    {
        var plan = AdapterPlan.Of(architecture, Adapter());
        var own = plan.Factors.Select(factor => factor.Name).ToHashSet(StringComparer.Ordinal);
        var extra = Tensors.Keys.Where(key => key.StartsWith("factor.", StringComparison.Ordinal)).Select(key => key["factor.".Length..]).Where(name => !own.Contains(name)).ToList();
        var values = own.ToDictionary(name => name, Value, StringComparer.Ordinal);
        foreach (var name in extra) values[TrainingNames.Parameter + name] = Value(name);
        var optimizer = _facts.Optimizer;
        return new TrainingSpec
        {
            Adapter = Adapter(),
            Task = Task,
            Trainables = [.. extra.Select(name => new TrainablePattern(name, new ParameterGroup(optimizer.HeadLr, optimizer.HeadWeightDecay)))],
            Optimizer = new OptimizerOptions
            {
                LearningRate = optimizer.Lr,
                Beta1 = optimizer.Betas[0],
                Beta2 = optimizer.Betas[1],
                Epsilon = optimizer.Eps,
                WeightDecay = optimizer.Weight_decay,
                Clip = optimizer.ClipGlobalNorm,
            },
            Values = values,
        };
    }

    private AdapterOptions Adapter() => new()
    {
        Method = _facts.Method,
        Rank = _facts.Rank,
        Alpha = _facts.Alpha,
        Targets = _facts.Targets,
        Options = (_facts.Options ?? []).ToDictionary(option => option.Key, option => option.Value.ToString(), StringComparer.Ordinal),
    };

    private Tensor Value(string name) =>
        Tensors.GetValueOrDefault($"factor.{name}") ?? Tensors.GetValueOrDefault($"frozen.{name}") ?? throw AdapterErrors.FactorMissing(_path, $"factor.{name}");

    private sealed record Facts
    {
        public double Loss { get; init; }

        public double GradNorm { get; init; }

        public required string Method { get; init; }

        public int Rank { get; init; }

        public double Alpha { get; init; }

        public required IReadOnlyList<string> Targets { get; init; }

        public Dictionary<string, JsonElement>? Options { get; init; }

        public required string LossName { get; init; }

        public string? Batch { get; init; }

        public IReadOnlyList<long>? After { get; init; }

        public required OptimizerFacts Optimizer { get; init; }
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
