using LoRTA.Onnx.Cli;

using var signals = new StopSignals();
return Application.Run(args, Console.Out, Console.Error, signals.Token);
