using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>A matrix, row by row, as the product of cores [ρ, n, ρ'] whose ends are 1 (Oseledets 2011).</summary>
/// <param name="Modes">n of each core; their product is the number of elements.</param>
/// <param name="Rank">ρ between the cores.</param>
internal sealed record TensorTrain(IReadOnlyList<long> Modes, int Rank)
{
    private const int LeastMode = 4;

    /// <summary>The train of so many elements.</summary>
    /// <param name="elements">Of the matrix.</param>
    /// <param name="rank">ρ.</param>
    /// <param name="leastMode">What a mode is at least; null = the rank, or 4 where that is more.</param>
    public static TensorTrain Of(long elements, int rank, int? leastMode = null) =>
        new(ModesOf(elements, leastMode ?? Math.Max(rank, LeastMode)), rank);

    /// <summary>The cores.</summary>
    /// <param name="name">Their names are this one with a dot and their number from 0 on.</param>
    /// <param name="deviation">Standard deviation of the matrix's elements.</param>
    /// <param name="endsAtZero">Whether the last core, and so the matrix, is zero.</param>
    public IEnumerable<Factor> Factors(string name, double deviation, bool endsAtZero = false)
    {
        var share = Math.Pow(deviation, 1.0 / Modes.Count);
        for (var i = 0; i < Modes.Count; i++)
        {
            var (isLast, after) = (i == Modes.Count - 1, RankAfter(i));
            var deviationOfCore = share / Math.Sqrt(after);
            var init = isLast && endsAtZero ? Init.Zero : Init.Normal(deviationOfCore);
            yield return new($"{name}.{i}", [RankAfter(i - 1), Modes[i], after], init) { GradcheckDeviation = deviationOfCore };
        }
    }

    /// <summary>The matrix with so many rows.</summary>
    public Expr Product(FactorSet f, string name, int rows)
    {
        var product = f[$"{name}.0"].Reshape(-1, RankAfter(0));
        for (var i = 1; i < Modes.Count; i++)
            product = product.MatMul(f[$"{name}.{i}"].Reshape(RankAfter(i - 1), -1)).Reshape(-1, RankAfter(i));
        return product.Reshape(rows, -1);
    }

    /// <summary>Prime factors in ascending order, multiplied until a mode is large enough; what remains joins the last.</summary>
    internal static IReadOnlyList<long> ModesOf(long elements, int least)
    {
        var (modes, mode) = (new List<long>(), 1L);
        foreach (var prime in PrimeFactors(elements))
        {
            mode *= prime;
            if (mode < least) continue;
            modes.Add(mode);
            mode = 1;
        }
        if (modes.Count == 0) modes.Add(mode);
        else modes[^1] *= mode;
        return modes;
    }

    private static IEnumerable<long> PrimeFactors(long number)
    {
        for (var divisor = 2L; divisor * divisor <= number; divisor++)
            for (; number % divisor == 0; number /= divisor) yield return divisor;
        if (number > 1) yield return number;
    }

    private long RankAfter(int core) => core < 0 || core == Modes.Count - 1 ? 1 : Rank;
}
