using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Failures of ONNX Runtime, wrapped once where it is called.</summary>
internal static class RuntimeErrors
{
    public static LortaException UnknownDevice(string device) =>
        new("LRT610", $"--device: '{device}' is not known.", "Use cpu, cuda or cuda:N.") { IsUsage = true };

    public static LortaException NoCuda(string device, Exception inner) =>
        new("LRT611", $"--device {device}: ONNX Runtime's CUDA provider is not there ({inner.FirstLine()}).", "Build with -p:OrtFlavor=Gpu on a machine with CUDA and cuDNN, or use --device cpu.", inner);

    public static LortaException DoesNotLoad(Model model, Exception inner) =>
        new("LRT612", $"{(model.Path.Length > 0 ? model.Path : "the graph")}: ONNX Runtime cannot load it ({inner.FirstLine()}).", "Check that the file runs in ONNX Runtime as it is; if it does, report this.", inner);

    public static LortaException RunFailed(string what, Exception inner) =>
        new("LRT613", $"{what} failed in ONNX Runtime ({inner.FirstLine()}).", "Check that the batch fits the model: token ids below the vocabulary, lengths below its number of positions.", inner);

    public static LortaException MissingInput(string name) =>
        new("LRT614", $"the model wants the input '{name}', which the data does not have.", "Use an export whose inputs are token ids, masks, positions and caches.");

    /// <summary>Runs <paramref name="open"/> and turns the runtime's exception into one sentence.</summary>
    public static T Wrap<T>(Model model, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (OnnxRuntimeException e)
        {
            throw DoesNotLoad(model, e);
        }
    }

    /// <summary>Runs <paramref name="run"/> and turns the runtime's exception into one sentence.</summary>
    public static T WrapRun<T>(string what, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (OnnxRuntimeException e)
        {
            throw RunFailed(what, e);
        }
    }
}
