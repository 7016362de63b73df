using System.Text.Json.Serialization;

namespace LoRTA.Onnx.Training.Data;

/// <summary>What became of a file's entries: the <c>data</c> of a result.</summary>
public sealed record DataCounts
{
    /// <summary>Entries read, before any is dropped.</summary>
    public required int Rows { get; init; }

    /// <summary>Entries that lost tokens to <c>data.maxLength</c>; with packing, those of which the dropped tail holds tokens.</summary>
    public required int Cut { get; init; }

    /// <summary>Tokens lost that way; with packing, the dropped tail.</summary>
    public required long TokensCut { get; init; }

    /// <summary>Longest row in tokens: <c>data.maxLength</c>, or less where the model fixes its length.</summary>
    [JsonIgnore]
    public int MaxLength { get; init; }

    /// <summary>Entries that were dropped because no label is left to learn; with packing, such rows of <c>data.maxLength</c>.</summary>
    public required int WithoutLabel { get; init; }

    /// <summary>Entries that are used although a text in them is blank or null.</summary>
    public required int Empty { get; init; }
}
