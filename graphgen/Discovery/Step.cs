using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>What an exporter may put between attention and a projection: a pattern with one hole <c>X</c> where the walk goes on.</summary>
/// <param name="Name">What the step is called in findings.</param>
/// <param name="Pattern">The step.</param>
internal sealed record Step(string Name, Pattern Pattern);
