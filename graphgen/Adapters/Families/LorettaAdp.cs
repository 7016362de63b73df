using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>LoReTTA-adp: h + act(h·D + b_D)·U + b_U behind the attention and behind the MLP of a layer, before h joins the residual stream
/// (Houlsby's places); D [d, b] and U [b, d] are tensor trains, row by row (Yang et al. 2024).</summary>
internal sealed class LorettaAdp(AdapterOptions options) : IAdapterFamily
{
    private const int LeastMode = 4;

    private static readonly FamilyOption Width = FamilyOption.Integer("bottleneck", "Width of the bottleneck.", byDefault: 64);

    private static readonly FamilyOption TrainRank = FamilyOption.Integer("ttRank", "Rank of the tensor trains.", byDefault: 5);

    private static readonly FamilyOption Activation = new("activation", "The activation of the bottleneck.", "relu", "tanh");

    private static readonly FamilyOption Initial = new(
        "init",
        "First values: this project's (the last core and the bias of U are zero), or the authors' (none is).",
        "default",
        "official");

    /// <summary>How large the adapters are, what they do, and where they start.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [Width, TrainRank, Activation, Initial];

    private readonly int _width = options.IntegerOf(Width);
    private readonly int _trainRank = options.IntegerOf(TrainRank);

    public string Method => "loretta_adp";

    public string Formula =>
        "h + relu(h·D + b_D)·U + b_U behind attention and MLP; D and U are tensor trains with a bottleneck; no rank";

    public bool HasRank => false;

    public FamilyTargets Targets { get; } = FamilyTargets.Of(new("attention", "p"), new("ffn", "down"));

    public IReadOnlyList<Factor> Factors(AdapterSites sites)
    {
        var endsAtZero = options.ValueOf(Initial) != "official";
        return
        [
            .. sites.All.SelectMany(site => (IEnumerable<Factor>)
            [
                .. Train(site).Factors($"{site.Key}.down", Deviation(site)),
                Bias($"{site.Key}.down.bias", _width, startsAtZero: false) with { GradcheckDeviation = Deviation(site) },
                .. Train(site).Factors($"{site.Key}.up", Deviation(site), endsAtZero),
                Bias($"{site.Key}.up.bias", site.Out, endsAtZero) with { GradcheckDeviation = Deviation(site) },
            ]),
        ];
    }

    /// <summary>h + t·(act(h·D + b_D)·U + b_U).</summary>
    public Expr Emit(AdapterPoint at, FactorSet f)
    {
        var (site, train) = (at.Site, Train(at.Site));
        var (down, up) = (train.Product(f, $"{site.Key}.down", site.Out), train.Product(f, $"{site.Key}.up", _width));
        var inner = at.Dropout(at.Y).MatMul(down) + f[site, "down.bias"];
        var active = inner.Apply(options.ValueOf(Activation) == "tanh" ? "Tanh" : "Relu");
        return at.Y + (f.Switch * (active.MatMul(up) + f[site, "up.bias"]));
    }

    // Both matrices have as many elements.
    private TensorTrain Train(AdapterSite site) => TensorTrain.Of((long)site.Out * _width, _trainRank, LeastMode);

    private static Factor Bias(string name, int width, bool startsAtZero) =>
        new(name, [width], startsAtZero ? Init.Zero : Init.Uniform(1 / Math.Sqrt(width)));

    private double Deviation(AdapterSite site) => 1 / Math.Sqrt(site.Out + _width);
}
