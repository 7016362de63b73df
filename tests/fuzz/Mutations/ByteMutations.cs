using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Fuzz.Tests.Mutations;

/// <summary>Damage that knows nothing of a format: bits that flip, files that are cut, grown or joined.</summary>
internal static class ByteMutations
{
    public static byte[] Apply(byte[] bytes, SeededRandom random)
    {
        if (bytes.Length == 0) return [(byte)random.NextBits()];
        var at = random.NextIndex(bytes.Length);
        switch (random.NextIndex(6))
        {
            case 0: return bytes[..at];
            case 1: return [.. bytes, .. bytes[..Math.Min(at, 100)]];
            case 2: return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + 1 + random.NextIndex(50))..]];
            case 3: return [.. bytes[..at], (byte)random.NextBits(), .. bytes[at..]];
            default:
                var changed = (byte[])bytes.Clone();
                for (var i = 0; i <= random.NextIndex(8); i++) changed[random.NextIndex(bytes.Length)] = (byte)random.NextBits();
                return changed;
        }
    }
}
