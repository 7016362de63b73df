namespace LoRTA.Onnx.Training.Data;

/// <summary>A text made of a row's columns.</summary>
/// <param name="Value">The text.</param>
/// <param name="IsEmpty">Whether it is blank, or a column in it is null: such rows are counted, never used in silence.</param>
internal readonly record struct RowText(string Value, bool IsEmpty)
{
    public RowText(string value)
        : this(value, string.IsNullOrWhiteSpace(value))
    {
    }
}
