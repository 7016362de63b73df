using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Artifacts.Portable;

/// <summary>Computes what gradients need of RMS norms beside the operator.</summary>
/// <remarks>On WebGPU, ONNX Runtime fills the operator's second output with zeros and says nothing (seen with onnxruntime-web
/// 1.30.0).</remarks>
internal static class NormStatistics
{
    /// <summary>Replaces the second outputs, s = 1/√(mean x² + ε).</summary>
    public static void Replace(Tape tape)
    {
        foreach (var norm in tape.Graph.Nodes.Where(node => node.Op == "SimplifiedLayerNormalization").ToList())
        {
            if (norm.Outputs is not [_, { Uses.Count: > 0 } s, ..]) continue;
            using var scope = tape.Scope(norm.Label);
            var x = tape[norm.Operand(0)];
            var axis = x.Shape.Axis(norm.Int("axis", -1));
            var mean = (x * x).Mean([.. Enumerable.Range(axis, x.Rank - axis).Select(i => (long)i)]);
            tape.Graph.ReplaceUses(s, (1 / (mean + norm.Float("epsilon", 1e-5f)).Sqrt()).Value);
        }
        tape.Graph.Sort();
    }
}
