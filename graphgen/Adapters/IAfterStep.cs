namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>What a family does to its factors after each optimizer step. A function of what it is given: its memory is the state, which
/// checkpoints hold.</summary>
public interface IAfterStep
{
    /// <summary>The state before the first step, by name; in checkpoints each name stands behind <c>family.</c>.</summary>
    IReadOnlyDictionary<string, OnnxTensor> InitialState { get; }

    /// <summary>The first step after which the adapter may be the best one of a run: before it, factors are not final.</summary>
    long FirstFinalStep => 1;

    /// <summary>Gives new values for the factors and the state that change; the others stay.</summary>
    StepChange Apply(FinishedStep step);
}

/// <summary>An optimizer step that was just taken.</summary>
public sealed record FinishedStep
{
    /// <summary>Its number, 1, 2, ….</summary>
    public required long Step { get; init; }

    /// <summary>Trained factors after the step, by name.</summary>
    public required IReadOnlyDictionary<string, OnnxTensor> Factors { get; init; }

    /// <summary>The gradients that the optimizer saw, after clipping, by factor.</summary>
    public required IReadOnlyDictionary<string, OnnxTensor> Gradients { get; init; }

    /// <summary>The family's own state, by name.</summary>
    public required IReadOnlyDictionary<string, OnnxTensor> State { get; init; }
}

/// <summary>What changes after a step.</summary>
/// <param name="Factors">New values of factors, by name.</param>
/// <param name="State">New values of the family's own state, by name.</param>
public sealed record StepChange(IReadOnlyDictionary<string, OnnxTensor> Factors, IReadOnlyDictionary<string, OnnxTensor> State);
