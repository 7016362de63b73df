using System.Globalization;
using Microsoft.Extensions.Logging;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>Keeps what is logged.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    /// <summary>Level, event and text of each entry.</summary>
    public List<string> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add(string.Create(CultureInfo.InvariantCulture, $"{logLevel} {eventId.Id}: {formatter(state, exception)}"));

    public void Dispose()
    {
    }
}
