namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Which side of a matrix a family with a head mode splits by heads.</summary>
public enum Orientation
{
    /// <summary>The output: A meets x, (C_H, B) make the concatenated heads of the result.</summary>
    OutputHeads,

    /// <summary>The input: (C_H, B) meet the concatenated heads, A makes the result.</summary>
    InputHeads,
}
