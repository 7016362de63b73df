using System.Runtime.InteropServices;

namespace LoRTA.Onnx.Cli;

/// <summary>Ends the process without waiting for anything.</summary>
internal static class ImmediateEnd
{
    /// <summary>Ends the process with an exit code.</summary>
    /// <remarks><see cref="Environment.Exit"/> runs the exit handlers of native libraries, which can wait for, or crash, a computation
    /// that is under way.</remarks>
    public static void With(int exitCode)
    {
        if (!OperatingSystem.IsWindows()) ExitOfLibc(exitCode);
        Environment.Exit(exitCode);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void ExitOfLibc(int status);
}
