using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoRTA.Onnx.Runtime;

/// <summary>Keeps ONNX Runtime from reporting to its vendor what is opened in it.</summary>
/// <remarks>
/// Since 1.29 the official builds do so by default, on Linux too: names of the file and the graph, hashes of graph and weights, an id of
/// the device. The runtime reads its switch when its environment is created, so the switch is set when this assembly is loaded, before any
/// of its code can create one.
/// </remarks>
internal static class OrtTelemetry
{
    private const string Switch = "ORT_DISABLE_TELEMETRY";
    private const string Off = "1";

    private static bool? _wasOff;

    /// <summary>Whether reports were off before this assembly was loaded.</summary>
    public static bool WasOff => _wasOff is true;

    /// <summary>Lets the runtime's own setting hold again, before its environment is created.</summary>
    public static void TurnOn()
    {
        if (WasOff) return;   // whoever started the process decides
        Environment.SetEnvironmentVariable(Switch, null);
        if (!OperatingSystem.IsWindows()) _ = UnsetForNativeCode(Switch);
    }

    /// <summary>Turns reports off for this process and those that it starts; in programs that open sessions of their own, to be called
    /// before the first.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Code of this assembly must not run before.")]
    internal static void TurnOff()
    {
        _wasOff ??= Environment.GetEnvironmentVariable(Switch) == Off;
        Environment.SetEnvironmentVariable(Switch, Off);
        if (OperatingSystem.IsWindows()) return;
        // .NET keeps a copy of the environment, which native code does not see; fails only without memory
        _ = SetForNativeCode(Switch, Off, overwrite: 1);
    }

    [DllImport("libc", EntryPoint = "unsetenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int UnsetForNativeCode(string name);

    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetForNativeCode(string name, string value, int overwrite);
}
