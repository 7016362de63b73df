using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Messages;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>Failures of ONNX Runtime, wrapped once where it is called.</summary>
internal static partial class RuntimeErrors
{
    public static LortaException UnknownDevice(string device) =>
        new("LRT610", $"--device: '{device}' is not known.", "Use cpu, cuda or cuda:N.") { IsUsage = true };

    public static LortaException NoCuda(string device, string reason, Exception? inner = null) =>
        new("LRT611", $"--device {device}: CUDA cannot be used ({reason}).",
            "Build with -p:OrtFlavor=Gpu and run with the libraries of CUDA 13 and cuDNN 9 on LD_LIBRARY_PATH, or use --device cpu.",
            inner);

    public static LortaException DoesNotLoad(OnnxModel model, Exception inner) =>
        new(
            "LRT612",
            $"{(model.Path.Length > 0 ? model.Path : "the graph")}: ONNX Runtime cannot load it ({Reason(inner.Message)}).",
            "Check that the file runs in ONNX Runtime as it is; if it does, report this.",
            inner);

    public static LortaException RunFailed(string what, Exception inner) =>
        new(
            "LRT613",
            $"{what} failed in ONNX Runtime ({Reason(inner.Message)}).",
            "Check that the batch fits the model: token ids below the vocabulary, lengths below its number of positions.",
            inner);

    public static LortaException MissingInput(string name) =>
        new(
            "LRT614",
            $"the model needs the input '{name}', which the data does not have.",
            TensorName.Parse(name).Kind == TensorKind.Factor
                ? "The file takes the factors of an adapter as inputs; use the model that it was made from, with the adapter beside it."
                : "Use an export whose inputs are token ids, masks, positions and caches.");

    public static LortaException NoScratch(string folder, Exception inner) =>
        new(
            "LRT615",
            $"{folder}: temporary files cannot be written there ({inner.Message.TrimEnd('.')}).",
            "Free space in that folder, or name another one by the variable TMPDIR (on Windows TMP); nothing was left behind.",
            inner);

    public static LortaException OtherShape(string adapter, string difference) =>
        new(
            "LRT616",
            $"adapter '{adapter}': is of another shape than the host's adapters ({difference}).",
            "Add it to a host that was made for its method, rank, targets, layers and options.");

    public static LortaException AdapterNameTaken(string adapter) =>
        new("LRT617", $"adapter '{adapter}': the host has one of that name.", "Remove that one first, or choose another name.");

    public static LortaException UnknownAdapter(string adapter, IReadOnlyCollection<string> known) =>
        new(
            "LRT618",
            $"there is no adapter '{adapter}'.",
            $"{Suggestion.Hint(adapter, known)}{(known.Count == 0 ? "Add it to a host first." : $"There is {string.Join(", ", known)}.")}");

    public static LortaException NoNativeLibrary(TypeInitializationException inner)
    {
        var release = typeof(OrtEnv).Assembly.GetName().Version!.ToString(fieldCount: 3);
        return new(
            "LRT619",
            $"ONNX Runtime's native library cannot be used ({WhyNotLoaded(inner.InnerException ?? inner)}).",
            $"It must be of release {release} or newer. In a program of your own, reference Microsoft.ML.OnnxRuntime, or "
                + "Microsoft.ML.OnnxRuntime.Gpu for CUDA; if this is the `lorta` command, install it again.",
            inner);
    }

    /// <summary>Runs <paramref name="open"/> and turns the runtime's exception into one sentence.</summary>
    public static T Wrap<T>(OnnxModel model, Func<T> open)
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

    /// <summary>Runs <paramref name="first"/>, the first call of the native library, and says in one sentence why there is none.</summary>
    public static T WrapLibrary<T>(Func<T> first)
    {
        try
        {
            return first();
        }
        catch (TypeInitializationException e)
        {
            throw NoNativeLibrary(e);
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
            StopRequest.ThrowIfAny();   // a run that was told to stop fails
            throw RunFailed(what, e);
        }
    }

    /// <summary>What the runtime says, without its codes and the places in its sources.</summary>
    internal static string Reason(string message)
    {
        var line = message.Split('\n')[0];
        return (Cuda().Match(line) is { Success: true } cuda ? cuda.Groups["why"].Value : Wrapping().Replace(line, string.Empty))
            .TrimEnd('.', ' ');
    }

    // Of a library that does not load .NET tells first how to search for the cause, then each place with its reason, most of which are
    // that no file is there.
    private static string WhyNotLoaded(Exception e)
    {
        var lines = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var first = lines[0].Split(". ")[0].TrimEnd('.');
        return lines.Skip(1).FirstOrDefault(line => !line.Contains("No such file", StringComparison.Ordinal)) is { } cause
            ? $"{first}: {cause}"
            : first;
    }

    // [ErrorCode:Fail] Non-zero status code … Status Message: /onnxruntime_src/…/gather.cc:12 the reason
    [GeneratedRegex(@"^(\[ErrorCode:\w+\] )?(.*Status Message: )?(\S+\.(cc|cpp|h|hpp):\d+ )?", RegexOptions.ExplicitCapture)]
    private static partial Regex Wrapping();

    // … Failed to load library …/libonnxruntime_providers_cuda.so with error: libcudart.so.13: cannot open …
    // … CUDA failure 35: … ; GPU=0 ; hostname=…
    [GeneratedRegex(
        @"Failed to load library .+ with error:? (?<why>.+)|(?<why>(Invalid device ID|CU\w+ failure \d+): [^;]+)",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Cuda();
}
