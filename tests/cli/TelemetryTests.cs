using System.Diagnostics;
using System.Runtime.InteropServices;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>ONNX Runtime's official builds report what they open to their vendor and keep an id and a database in the home folder, unless told otherwise.</summary>
internal sealed class TelemetryTests
{
    // Where one of them is set, the runtime reports nothing anyway.
    private static readonly string[] OtherSwitches = ["ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI", "TF_BUILD", "GITHUB_ACTIONS", "BUILD_ID"];

    [Test]
    public void Command_leaves_the_home_folder_empty_and_nothing_temporary()
    {
        using var home = new TestFolder();
        using var temporary = new TestFolder();
        var model = Exports.Path("llama-mini/ts-sdpa");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Path.Combine(AppContext.BaseDirectory, "LoRTA.Onnx.Cli.dll"), "verify", model, model])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("XDG_", StringComparison.Ordinal) || OtherSwitches.Contains(name)).ToList()) start.Environment.Remove(name);
        (start.Environment["HOME"], start.Environment["TMPDIR"]) = (home.Path, temporary.Path);

        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.That(process.ExitCode, Is.Zero, said);
        Assert.That(home.Entries, Is.Empty);
        Assert.That(temporary.Entries, Is.Empty);
    }

    [Test, Platform(Exclude = "Win")]
    public void Native_code_of_the_tests_sees_the_switch() => Assert.That(Marshal.PtrToStringUTF8(GetEnv("ORT_DISABLE_TELEMETRY")), Is.EqualTo("1"));

    [DllImport("libc", EntryPoint = "getenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint GetEnv(string name);
}
