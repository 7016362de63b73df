using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Cli;

/// <summary>A record of a library together with whether its check passed.</summary>
/// <param name="Record">What is shown.</param>
/// <param name="Failure">Why it did not pass; null where it did.</param>
internal sealed record Verdict(object Record, LortaException? Failure) : IVerdict, IDocument
{
    public bool Ok => Failure is null;

    public JsonNode ToJson() => JsonSerializer.SerializeToNode(Record, Record.GetType(), Results.Json)!;

    public object ToTable() => Record;
}
