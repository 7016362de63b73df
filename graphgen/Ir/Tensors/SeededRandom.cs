using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace LoRTA.Onnx.GraphGen.Ir.Tensors;

/// <summary>A stream of random numbers that is a function of (seed, name): asking for one stream never moves another.</summary>
/// <remarks>Counter based: value i is a mix of key + i (splitmix64), where the key is a hash of seed and name.</remarks>
[Experimental(Unsettled.Id)]
public sealed class SeededRandom
{
    private readonly ulong _key;
    private ulong _index;

    /// <summary>The stream of a seed and a name.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="name">The name.</param>
    public SeededRandom(long seed, string name)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{seed.ToString(System.Globalization.CultureInfo.InvariantCulture)}/{name}"), hash);
        _key = BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        var z = _key + (++_index * 0x9E3779B97F4A7C15UL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextUniform() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Standard normal (Box–Muller).</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextUniform())) * Math.Cos(2 * Math.PI * NextUniform());

    /// <summary>Uniform integer in [0, count).</summary>
    /// <param name="count">One more than the largest.</param>
    public int NextIndex(int count) => (int)(((UInt128)NextBits() * (ulong)count) >> 64);

    /// <summary>Uniform integers in [0, below).</summary>
    /// <param name="count">How many.</param>
    /// <param name="below">One more than the largest.</param>
    public long[] NextIndices(int count, int below)
    {
        var indices = new long[count];
        for (var i = 0; i < count; i++) indices[i] = NextIndex(below);
        return indices;
    }

    /// <summary>A permutation of 0 … count − 1 (Fisher–Yates).</summary>
    /// <param name="count">How many.</param>
    internal int[] Permutation(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = NextIndex(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
