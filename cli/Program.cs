using System.Runtime.InteropServices;
using LoRTA.Onnx.Cli;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = !stop.IsCancellationRequested;   // the first Ctrl-C asks for a clean end, the second one ends
    stop.Cancel();
};
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stop.Cancel();
});
return Application.Run(args, Console.Out, Console.Error, stop.Token);
