using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;

namespace LoRTA.Onnx.Cli;

/// <summary>A record of a library together with whether its check passed.</summary>
/// <param name="Record">What is shown.</param>
/// <param name="Ok">Whether it passed.</param>
internal sealed record Verdict(object Record, bool Ok) : IVerdict, IDocument
{
    public JsonNode ToJson() => JsonSerializer.SerializeToNode(Record, Record.GetType(), Results.Json)!;

    public object ToTable() => Record;
}
