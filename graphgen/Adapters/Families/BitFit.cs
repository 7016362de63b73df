namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>BitFit: b′ = b + Δb for every bias of the model, norms and head included; no weight changes (Ben Zaken et al., 2022).</summary>
internal sealed class BitFit : IAdapterFamily
{
    public string Method => "bitfit";

    public string Formula => "b′ = b + Δb for every bias of the model, or for the parameters that patterns choose";

    public bool HasRank => false;

    public FamilyTargets Targets { get; } = FamilyTargets.Parameters("*.bias");

    public IReadOnlyList<Factor> Factors(AdapterSites sites) => [];
}
