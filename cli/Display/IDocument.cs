using System.Text.Json.Nodes;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>A result with a JSON form of its own.</summary>
internal interface IDocument
{
    /// <summary>The JSON of the contract.</summary>
    JsonNode ToJson();

    /// <summary>What a person reads, as a record; null where all was shown already.</summary>
    object? ToTable();
}
