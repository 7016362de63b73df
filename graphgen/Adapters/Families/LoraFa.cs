using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>LoRA-FA: LoRA whose A stays as it was drawn; only B is trained.</summary>
internal sealed class LoraFa(AdapterOptions options) : IAdapterFamily
{
    private readonly Lora _lora = new(options);

    public string Method => "lora_fa";

    public string Formula => "as lora; A is random and frozen";

    public double Scale => _lora.Scale;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
        [.. _lora.Factors(sites).Select(factor => factor.EndsWith("A") ? factor with { IsTrained = false } : factor)];

    public Expr Emit(AdapterPoint at, FactorSet f) => _lora.Emit(at, f);

    /// <summary>ΔW = (s·A)·Bᵀ.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) => _lora.AsLora(site, f);
}
