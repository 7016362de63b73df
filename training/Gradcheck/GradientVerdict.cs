namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>What a comparison with central differences says of a derived gradient.</summary>
public enum GradientVerdict
{
    /// <summary>It agrees.</summary>
    Ok,

    /// <summary>It differs by more than anything that the measurement could be wrong by.</summary>
    Wrong,

    /// <summary>The loss cannot be measured well enough to tell: its rounding, or a kink, hides the difference.</summary>
    Unresolved,
}
