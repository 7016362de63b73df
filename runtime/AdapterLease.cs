
namespace LoRTA.Onnx.Runtime;

/// <summary>An open model, with one of a host's adapters or without inputs for any: both stay open until this is disposed of, also where
/// their owner closes them meanwhile.</summary>
/// <param name="model">The model, held.</param>
/// <param name="adapter">The adapter, held.</param>
internal sealed class AdapterLease(RefCounted<OpenModel> model, RefCounted<AdapterInputs>? adapter) : IDisposable
{
    public OpenModel Model => model.Value;

    public AdapterInputs? Adapter => adapter?.Value;

    public void Dispose()
    {
        adapter?.Release();
        model.Release();
    }
}
