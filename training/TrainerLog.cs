using Microsoft.Extensions.Logging;

namespace LoRTA.Onnx.Training;

/// <summary>What a trainer tells those who operate the program.</summary>
internal static partial class TrainerLog
{
    /// <summary>What was left out or changed on the way to the graphs.</summary>
    [LoggerMessage(EventId = 691, Level = LogLevel.Warning, Message = "{Node}: {Reason}")]
    public static partial void Found(ILogger log, string node, string reason);

    /// <summary>A run continues from a checkpoint.</summary>
    [LoggerMessage(EventId = 692, Level = LogLevel.Information, Message = "{Folder}: continues after step {Step}")]
    public static partial void Resumed(ILogger log, string folder, long step);

    /// <summary>A file that a run passed over.</summary>
    [LoggerMessage(EventId = 693, Level = LogLevel.Warning, Message = "{Note}")]
    public static partial void Noted(ILogger log, string note);
}
