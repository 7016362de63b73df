// Chats with a decoder, a question on each line. A line that begins with an adapter's name and a colon is answered with that adapter, any
// other by the model itself:
//   dotnet run samples/chat.cs -- models/llama-mini log=runs/ship-log/adapter
//   log: 2 March.
#:package LoRTA.Onnx.Extensions.AI@0.1.0
#:package Microsoft.ML.OnnxRuntime@1.31.1
#:property PublishAot=false
using LoRTA.Onnx.Extensions.AI;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using Microsoft.Extensions.AI;

if (args.Length < 2 || !args[1..].All(arg => arg.Contains('=')))
{
    Console.Error.WriteLine("usage: dotnet run chat.cs -- MODEL NAME=ADAPTER…   (adapters of one shape, by name)");
    return 2;
}
try
{
    var adapters = args[1..].Select(arg => arg.Split('=', 2)).ToDictionary(pair => pair[0], pair => Adapter.Load(pair[1]));
    using var engine = new OrtEngine();
    using var host = new AdapterHost(engine, OnnxModel.Load(args[0]), adapters.Values.First().Config.AdapterOptions);
    foreach (var (name, adapter) in adapters) host.Add(name, adapter);

    using var chat = host.AsChatClient();
    while (Console.ReadLine() is { Length: > 0 } line)
    {
        var (name, question) = line.Split(": ", 2) is [var first, var rest] && host.Names.Contains(first) ? (first, rest) : (null, line);
        var options = new ChatOptions { ModelId = name, MaxOutputTokens = 40 };
        await foreach (var piece in chat.GetStreamingResponseAsync(question, options)) Console.Write(piece.Text);
        Console.WriteLine();
    }
    return 0;
}
catch (LortaException e)
{
    Console.Error.WriteLine($"error {e.Code}: {e.Message}\nhint: {e.Hint}");
    return 1;
}
