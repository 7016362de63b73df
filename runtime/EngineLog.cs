using Microsoft.Extensions.Logging;

namespace LoRTA.Onnx.Runtime;

/// <summary>What an engine tells those who operate the program.</summary>
internal static partial class EngineLog
{
    /// <summary>The switch of ONNX Runtime's reports may not be as the engine's options say.</summary>
    [LoggerMessage(EventId = 690, Level = LogLevel.Warning, Message = "{Doubt}")]
    public static partial void Telemetry(ILogger log, string doubt);
}
