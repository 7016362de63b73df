using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>What an exporter may put between attention and a projection: a pattern with one hole <c>X</c> where the walk goes on.</summary>
/// <param name="Name">What the step is called in findings.</param>
/// <param name="Pattern">The step.</param>
/// <param name="Moves">Where the projection's features go in this step (null = not known); absent: they stay where they are.</param>
internal sealed record WalkStep(string Name, Pattern Pattern, Func<FeatureFlow, Value, FeatureFlow?>? Moves = null)
{
    /// <summary>Whether heads are complete before this step: what follows repeats them or joins them with earlier ones.</summary>
    public bool EndsHeads { get; init; }

    /// <summary>Whether keys are complete behind this step, as a cache would hold them: what follows places, repeats or scales them for
    /// the product with the queries.</summary>
    public bool CompletesKeys { get; init; }

    /// <summary>Whether this step computes: what it makes is no longer the projection's own result.</summary>
    public bool Computes { get; init; }
}
