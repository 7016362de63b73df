using System.Globalization;
using LoRTA.Onnx.GraphGen;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>ONNX Runtime's CUDA provider: the part of a build that computes on NVIDIA cards.</summary>
internal static class CudaProvider
{
    /// <summary>Its name in the runtime.</summary>
    public const string Name = "CUDAExecutionProvider";

    /// <summary>Lets a session compute on a card; operators without a kernel there stay on the CPU.</summary>
    /// <param name="options">The session's options.</param>
    /// <param name="settings">Which card, and whether its products may round (TF32), which they do unless the runtime is told
    /// otherwise.</param>
    /// <exception cref="LortaException">LRT611: the build has no CUDA, a library is missing, or the card is.</exception>
    public static void AddTo(SessionOptions options, OrtEngineOptions settings)
    {
        if (!OrtEnvironment.Instance.GetAvailableProviders().Contains(Name))
            throw RuntimeErrors.NoCuda(settings.Device, "this build of ONNX Runtime has no CUDA");
        try
        {
            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(OptionsOf(settings));
            options.AppendExecutionProvider_CUDA(cuda);
        }
        catch (Exception e) when (e is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw RuntimeErrors.NoCuda(settings.Device, RuntimeErrors.Reason(e.Message), e);
        }
    }

    /// <summary>What the provider is told.</summary>
    internal static Dictionary<string, string> OptionsOf(OrtEngineOptions settings) => new(StringComparer.Ordinal)
    {
        ["device_id"] = settings.DeviceIndex().ToString(CultureInfo.InvariantCulture),
        ["use_tf32"] = settings.AllowTf32 ? "1" : "0",
        ["arena_extend_strategy"] = "kSameAsRequested",   // memory in powers of two would be up to twice what is needed
    };
}
