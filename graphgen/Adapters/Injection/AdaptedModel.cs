using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>The training copy of a model with an adapter in it, whose factors are inputs.</summary>
internal sealed class AdaptedModel
{
    private readonly IReadOnlyList<ModelParameter> _parameters;

    private AdaptedModel(
        UnderstoodModel understood, AdapterPlan plan, Tape tape, FactorSet factors, IReadOnlyList<ModelParameter> parameters)
    {
        Base = understood;
        Plan = plan;
        Tape = tape;
        Factors = factors;
        _parameters = parameters;
    }

    /// <summary>The model, with the adapter in its training copy.</summary>
    public UnderstoodModel Base { get; }

    public CanonicalModel Canonical => Base.Canonical;

    public AdapterPlan Plan { get; }

    public Tape Tape { get; }

    public FactorSet Factors { get; }

    /// <summary>Plans an adapter and writes it into the training copy of a model.</summary>
    /// <param name="understood">The model, whose training copy is changed.</param>
    /// <param name="options">The adapter.</param>
    /// <param name="catalog">Families to choose from.</param>
    /// <param name="trainables">The model's own parameters that become inputs beside those that the family trains.</param>
    /// <param name="defaults">Values of the factors when nobody feeds them; null = they must be fed.</param>
    public static AdaptedModel Of(
        UnderstoodModel understood, AdapterOptions options, LortaCatalog catalog,
        TrainableChoice? trainables = null, Func<AdapterPlan, IReadOnlyDictionary<string, OnnxTensor>>? defaults = null)
    {
        var (canonical, map) = (understood.Canonical, understood.Map);
        trainables ??= new([]);
        var plan = AdapterPlan.Of(understood, options, catalog, trainables.Names);
        var linears = BaseModels.Linears(map, plan);
        if (linears.FirstOrDefault(linear => linear.Input.Type != ElementType.Float) is { } narrow)
            throw AdapterErrors.NotFloat(narrow.Address, narrow.Input.Type);
        var apart = PackedOutput.TakeApart(canonical.Model.Graph, map, linears);
        var ports = linears
            .Select(linear => LinearPort.Of(canonical.Deployed, linear, apart.GetValueOrDefault(linear.Address, linear.Output)))
            .ToList();
        var tape = new Tape(canonical.Model.Graph);
        var patterns = trainables.Patterns.Concat(plan.Parameters.Select(parameter => new TrainablePattern { Match = parameter.Name }));
        var parameters = ModelParameters.MakeInputs(canonical, tape, trainables with { Patterns = [.. patterns] });
        EarlierAdapters.MakeConstant(canonical.Model, canonical.Deployed.Path);
        var factors = AdapterInjection.Apply(tape, plan, ports, AttentionPort.Of(map, plan), defaults?.Invoke(plan));
        return new AdaptedModel(understood, plan, tape, factors, parameters);
    }

    /// <summary>The tensors that training changes: the family's trained factors, then the model's own parameters.</summary>
    public IReadOnlyList<TrainedTensor> Trained(IReadOnlyDictionary<string, OnnxTensor> given, long seed) =>
    [
        .. Plan.Factors.Where(factor => factor.IsTrained)
            .Select(factor => new TrainedTensor(
                new(TensorKind.Factor, factor.Name),
                ValueOf(factor, given, seed),
                new ParameterGroup(LearningRateFactor: factor.LearningRateFactor))),
        .. _parameters.Select(parameter => new TrainedTensor(parameter.Input,
            Given(parameter.Input, parameter.Initial.Dims, given) ?? parameter.Initial, parameter.Group)),
    ];

    /// <summary>Inputs that switch the adapter off: at scale 0 every family computes what the base computes, and trained parameters are
    /// those of the file.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Off =>
        _parameters.Select(parameter => KeyValuePair.Create(parameter.Input.ToString(), parameter.Initial))
            .Append(KeyValuePair.Create(Factors.Scale.Value.Name, OnnxTensor.Scalar(0f)))
            .ToDictionary(StringComparer.Ordinal);

    /// <summary>Factors that stay as they are, by input.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Frozen(IReadOnlyDictionary<string, OnnxTensor> given, long seed) =>
        Plan.Factors.Where(factor => !factor.IsTrained).ToDictionary(
            factor => new TensorName(TensorKind.Factor, factor.Name).ToString(),
            factor => ValueOf(factor, given, seed),
            StringComparer.Ordinal);

    private OnnxTensor ValueOf(Factor factor, IReadOnlyDictionary<string, OnnxTensor> given, long seed) =>
        Given(factor.Name, factor.Dims, given) ?? factor.Draw(seed, Base.WeightOf);

    private static OnnxTensor? Given(string name, IReadOnlyList<long> dims, IReadOnlyDictionary<string, OnnxTensor> given) =>
        given.TryGetValue(name, out var tensor) ? Adapter.Checked("the given factors", name, dims, tensor) : null;
}
