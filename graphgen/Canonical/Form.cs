using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>A form that exporters write and what the canonical graph has instead.</summary>
/// <param name="Name">What the form is called in messages.</param>
/// <param name="Op">The operator it is anchored at, always the last of its pieces; null: any.</param>
/// <param name="Rewrite">Replaces the node where it heads this form; false where it does not.</param>
internal sealed record Form(string Name, string? Op, Func<Node, Rewriting, bool> Rewrite);
