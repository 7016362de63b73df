using System.Runtime.InteropServices;

namespace LoRTA.Onnx.Cli;

/// <summary>Ctrl-C, SIGTERM and SIGHUP ask for a clean end; the second Ctrl-C or SIGTERM ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _hangUp;

    public StopSignals()
    {
        _interrupt = On(PosixSignal.SIGINT);
        _terminate = On(PosixSignal.SIGTERM);
        _hangUp = On(PosixSignal.SIGHUP);
    }

    /// <summary>Is cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _hangUp.Dispose();
        _stop.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;

        // A terminal that closes, and a service manager that stops a service, send SIGHUP in addition: nobody was impatient.
        if (_stop.IsCancellationRequested && signal != PosixSignal.SIGHUP) ImmediateEnd.With(ExitCode.Stopped);
        _stop.Cancel();
    });
}
