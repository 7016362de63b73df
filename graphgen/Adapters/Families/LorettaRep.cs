using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>LoReTTA-rep: LoRA's pair, ΔW = (α/r)·A·B with A [in, r] and B [r, out], each a tensor train, row by row.</summary>
internal sealed class LorettaRep(AdapterOptions options) : IAdapterFamily
{
    private static readonly FamilyOption TrainRank = FamilyOption.Integer("ttRank", "Rank of the tensor trains.", byDefault: 5);

    private static readonly FamilyOption Initial =
        new("init", "First values: this project's (the last core of B is zero), or the authors' (no core is).", "default", "official");

    /// <summary>How large the cores are, and where they start.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [TrainRank, Initial, AdapterOptions.RankStabilised];

    private readonly int _trainRank = options.IntegerOf(TrainRank);

    public string Method => "loretta_rep";

    public string Formula => "as lora; A and B are tensor trains";

    public string Remark =>
        "The paper's Table 1 gives LoReTTA 92k at r 4 and 50M at r 64 on Llama2-7B: M·L·r²·Σkᵢ with modes kᵢ of its own choice and "
        + "the rank of the tensor trains equal to r. Here A and B have rank r, their trains the rank ttRank and modes by rule.";

    public double Scale => options.Scale;

    public IReadOnlyList<Factor> Factors(AdapterSites sites)
    {
        var endsAtZero = options.ValueOf(Initial) != "official";
        return
        [
            .. sites.All.SelectMany(site => Train(site.In, site).Factors($"{site.Key}.A", Deviation(site.In, site.Rank))
                .Concat(Train(site.Out, site).Factors($"{site.Key}.B", Deviation(site.Out, site.Rank), endsAtZero))),
        ];
    }

    /// <summary>ΔW = (s·A)·B, of which only the pair is formed.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) =>
        (Train(site.In, site).Product(f, $"{site.Key}.A", site.In) * f.ScaleOf(site),
            Train(site.Out, site).Product(f, $"{site.Key}.B", site.Rank).T);

    private TensorTrain Train(int width, AdapterSite site) => TensorTrain.Of(width * (long)site.Rank, _trainRank);

    private static double Deviation(int rows, int columns) => 1 / Math.Sqrt(rows + columns);
}
