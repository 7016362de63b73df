namespace LoRTA.Onnx.Export.Folding;

/// <summary>How an adapter is folded.</summary>
public sealed record ExportOptions
{
    /// <summary>Write weights that are stored narrower than they are used (fp16 behind a Cast) as float32 past the Cast.</summary>
    public bool Widen { get; init; }

    /// <summary>Leave the base's weights as they are and add the adapter as side branches.</summary>
    public bool KeepBase { get; init; }

    /// <summary>Accept a model whose weights are not those that the adapter was trained on.</summary>
    public bool AllowOtherBase { get; init; }
}

/// <summary>How much the stored types round a folded model.</summary>
/// <param name="Type">Narrowest form that folded weights are stored in.</param>
/// <param name="Bits">Its bits.</param>
/// <param name="Weights">Number of weights that were rounded.</param>
/// <param name="MaxAbs">Largest |stored − exact| of any weight.</param>
/// <param name="MaxRel">The same, relative to the weight's largest number.</param>
public sealed record Rounding(string Type, int Bits, int Weights, double MaxAbs, double MaxRel);

/// <summary>A model with an adapter folded in, not yet written.</summary>
/// <param name="Model">The deployed graph with its changed weights, which are computed when they are written.</param>
/// <param name="Rounding">Filled while it is written; asks each weight what it lost.</param>
public sealed record FoldedModel(GraphGen.Ir.Model Model, Func<Rounding?> Rounding);
