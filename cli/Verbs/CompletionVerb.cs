using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Completion;
using LoRTA.Onnx.Cli.Display;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta completion bash|zsh|fish|pwsh</c>.</summary>
internal static class CompletionVerb
{
    public static Verb Create()
    {
        var shell = Arg.OneOf("SHELL", "The shell.", [.. CompletionScripts.All.Keys]);
        return Verb.Define("completion", "Print a script that completes lorta's commands and options in a shell.", [shell], call =>
        {
            var script = CompletionScripts.All[call.Get(shell)](CompletionModel.Of(call.Root));
            call.Text.Write(script);
            return new CompletionResult(script);
        });
    }
}

/// <summary>A script that was printed as it is.</summary>
internal sealed record CompletionResult(string Script) : IDocument
{
    public JsonNode ToJson() => new JsonObject { ["script"] = Script };

    public object? ToTable() => null;
}
