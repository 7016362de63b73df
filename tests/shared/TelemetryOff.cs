using System.Runtime.CompilerServices;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>Tests open sessions of ONNX Runtime on their own: none of them reports to its vendor.</summary>
internal static class TelemetryOff
{
    [ModuleInitializer]
    internal static void TurnOff() => OrtTelemetry.TurnOff();
}
