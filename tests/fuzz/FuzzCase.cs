using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests;

/// <summary>A command on mutated inputs.</summary>
/// <param name="Args">The command line.</param>
/// <param name="Outputs">Names in the folder that it may write.</param>
internal sealed record FuzzCase(IReadOnlyList<string> Args, params IReadOnlyList<string> Outputs)
{
    /// <summary>A command line with <c>{f}</c> for the folder.</summary>
    public static FuzzCase Of(TestFolder folder, string command, params IReadOnlyList<string> outputs) =>
        new([.. command.Split(' ').Select(word => word.Replace("{f}", folder.Path, StringComparison.Ordinal))], outputs);
}

/// <summary>A format of files and how inputs of it are mutated.</summary>
/// <param name="Name">Its name, for reports and the environment.</param>
/// <param name="Share">How many of a hundred runs.</param>
/// <param name="Make">Fills a folder and says what to run there.</param>
internal sealed record FuzzFormat(string Name, int Share, Func<TestFolder, SeededRandom, FuzzCase> Make)
{
    public override string ToString() => Name;
}

/// <summary>Choices at random.</summary>
internal static class Choices
{
    public static readonly long[] Extremes =
        [0, 1, -1, 2, -2, 3, 7, 255, 65536, int.MaxValue, int.MinValue, (1L << 32) + 1, 1L << 40, 1L << 62, long.MaxValue, long.MinValue, long.MaxValue - 7];

    public static readonly float[] Floats = [0, -1, 1e-38f, 1e38f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 65504, 1e9f];

    public static readonly string[] Texts = ["", " ", "x", "0", "-1", "null", "{", "../..", "/dev/null", "é\u0000x", new('a', 5000), "NaN", "1e999", "9223372036854775808"];

    public static T Of<T>(this SeededRandom random, IReadOnlyList<T> items) => items[random.NextIndex(items.Count)];

    public static bool Chance(this SeededRandom random, double probability) => random.NextUniform() < probability;
}
