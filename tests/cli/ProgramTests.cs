using System.Diagnostics;
using LoRTA.Onnx.Cli.Tests.Docs;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>The command as a process of its own: what native libraries write is seen only there.</summary>
internal sealed class ProgramTests
{
    [Test]
    public void A_failure_inside_the_runtime_is_one_sentence_and_a_hint()
    {
        using var folder = new TestFolder();
        long[] dims = [1, 2];
        Safetensors.Save(folder["inputs.safetensors"], new Dictionary<string, OnnxTensor>
        {
            ["input_ids"] = OnnxTensor.Of<long>(dims, [5, 999_999]),
            ["attention_mask"] = OnnxTensor.Of<long>(dims, [1, 1]),
            ["position_ids"] = OnnxTensor.Of<long>(dims, [0, 1]),
        });
        var model = Exports.Path("llama-mini/ts-sdpa");

        var (code, error) = Run("verify", model, model, "--inputs", folder["inputs.safetensors"]);

        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Match("^error LRT613: .+ failed in ONNX Runtime \\(indices element out of data bounds.+\\)\\.\nhint: .+\n$"));
    }

    [Test]
    public void A_card_that_cannot_be_used_is_one_sentence_that_says_why()
    {
        var (code, error) = Run("gradcheck", Exports.Path("llama-mini/ts-sdpa"), "--task", "causal-lm", "--device", "cuda:99");

        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Match("^error LRT611: --device cuda:99: CUDA cannot be used "
            + "\\((this build of ONNX Runtime has no CUDA|[^/]*cannot open[^/]*|Invalid device ID: 99.*|CUDA failure.*)\\)\\.\nhint: .+\n$"));
    }

    [Test, Platform(Exclude = "Win", Reason = "TMPDIR is Unix's.")]
    public void A_folder_for_temporary_files_that_is_missing_is_one_sentence()
    {
        using var folder = new TestFolder();
        var model = Exports.Path("minilm/ts-sdpa");   // its float16 weights are widened into a temporary file

        var (code, error) = Run(("TMPDIR", folder["none"]), "gradcheck", model, "--task", "classification");

        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Match($"^error LRT615: {folder["none"]}/?: temporary files cannot be written there .+\nhint: .+\n$"));
    }

    [Test]
    public void A_native_library_that_is_missing_is_one_sentence()
    {
        using var folder = new TestFolder();
        CopyTo(folder);   // without the folder runtimes

        var (code, error) = RunCopy(folder, "gradcheck", Repository.Path("models/llama-mini"), "--task", "causal-lm");

        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Match("^error LRT619: ONNX Runtime's native library cannot be used \\(Unable to load [^.:]+\\)\\.\nhint: .+\n$"));
    }

    [Test, Platform("Linux", Reason = "Each system finds and refuses libraries in its own words.")]
    public void A_native_library_that_is_damaged_is_one_sentence_with_the_cause()
    {
        using var folder = new TestFolder();
        CopyTo(folder);
        File.WriteAllText(folder["libonnxruntime.so"], "no library");

        var (code, error) = RunCopy(folder, "gradcheck", Repository.Path("models/llama-mini"), "--task", "causal-lm");

        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Match("^error LRT619: [^(]+\\(Unable to load [^.:]+: .+libonnxruntime.so: [^)]+\\)\\.\nhint: .+\n$"));
    }

    private static void CopyTo(TestFolder folder)
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory)) File.Copy(file, folder[Path.GetFileName(file)]);
    }

    private static (int ExitCode, string Error) RunCopy(TestFolder folder, params string[] args) => Start(folder["LoRTA.Onnx.Cli.dll"], args, variable: null);

    private static (int ExitCode, string Error) Run(params string[] args) => Start(Path.Combine(AppContext.BaseDirectory, "LoRTA.Onnx.Cli.dll"), args, variable: null);

    private static (int ExitCode, string Error) Run((string Name, string Value) variable, params string[] args) => Start(Path.Combine(AppContext.BaseDirectory, "LoRTA.Onnx.Cli.dll"), args, variable);

    private static (int ExitCode, string Error) Start(string command, string[] args, (string Name, string Value)? variable)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [command, .. args])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        if (variable is { } set) start.Environment[set.Name] = set.Value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
