namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>Full fine-tuning: W′ = W + ΔW for every parameter of the model. What adapters are measured against.</summary>
internal sealed class Full : IAdapterFamily
{
    public string Method => "full";

    public string Formula => "W′ = W + ΔW for every parameter of the model, or for those that patterns choose";

    public bool HasRank => false;

    public FamilyTargets Targets { get; } = FamilyTargets.Parameters("*");

    public IReadOnlyList<Factor> Factors(AdapterSites sites) => [];
}
