using LoRTA.Onnx.GraphGen.Attention.Walks;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Makes of keys as a cache would hold them what the product with the queries of a layer takes.</summary>
internal static class KeysOfLayer
{
    /// <summary>The keys with the factors that the layer's own get behind their rotation, and rotated back by some positions.</summary>
    /// <remarks>Moving a sequence on by n positions turns queries and its keys by n·θ more; a product of these two stays what it is, and a
    /// product of queries and keys without rotation is the one with keys that are turned back by n·θ.</remarks>
    /// <param name="tape">Tape of the graph.</param>
    /// <param name="port">The attention.</param>
    /// <param name="keys">[N, n, D].</param>
    /// <param name="offset">The positions.</param>
    public static Expr Of(Tape tape, AttentionPort port, Expr keys, int offset)
    {
        var walk = ProjectionWalk.Back(port.Core.K);
        var end = EndOf(walk);
        if (offset > 0 && RotationOf(walk, end, port) is { } rotation)
            keys = rotation.Back(tape, keys, offset);
        for (var i = end - 1; i >= 0; i--)
            if (walk.Steps[i].Name == ProjectionWalk.Scale) keys = Scaled(tape, walk.Values[i].Producer!, walk.Values[i + 1], keys);
        return keys;
    }

    /// <summary>How many factors the keys of an attention get behind their rotation, and whether there is one.</summary>
    public static (int Scales, bool IsRotated) StepsOf(AttentionCore core)
    {
        var walk = ProjectionWalk.Back(core.K);
        return (walk.Steps.Take(EndOf(walk)).Count(step => step.Name == ProjectionWalk.Scale),
            walk.Steps.Any(step => step.Name == ProjectionWalk.RotaryEmbedding));
    }

    private static int EndOf(ProjectionWalk walk) =>
        walk.Steps.Index().FirstOrDefault(step => step.Item.CompletesKeys, (walk.Steps.Count, null!)).Index;

    private static KeyRotation? RotationOf(ProjectionWalk walk, int end, AttentionPort port)
    {
        for (var i = end; i < walk.Steps.Count; i++)
        {
            var step = walk.Steps[i];
            if (step.Name == ProjectionWalk.RotaryEmbedding) return new KeyRotation(walk.Values[i], walk.Values[i + 1], port);
            if (step.Name == ProjectionWalk.NormOfHead && walk.Steps.Skip(i).Any(next => next.Name == ProjectionWalk.RotaryEmbedding))
                throw AdapterErrors.NoAttentionPlace(port.Layer, walk.Values[i].Producer!, "keys are normalised behind their rotation");
        }
        return null;
    }

    private static Expr Scaled(Tape tape, Node node, Value from, Expr keys) =>
        tape.Op(node.Op, [.. node.Inputs.Select(input => input == from ? keys : (Expr?)tape[input!].Cast(ElementType.Float).Reshape(1))]);
}
