using System.Numerics;
using System.Runtime.InteropServices;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Rounds one feature block of some output columns at once, a column in each lane, so that (w′ − w)ᵀ·H·(w′ − w) becomes
/// small.</summary>
/// <remarks>Two ways from the plain rounding are tried: passing each error on to the features that are not rounded yet, as GPTQ does, and
/// none. From both, single codes and the scales that
/// belong to this block alone are changed for as long as that helps. What is not better than the plain rounding is not taken.</remarks>
/// <param name="lowest">The lowest code.</param>
/// <param name="highest">The highest.</param>
/// <param name="storedScale">A scale as the file's type rounds it.</param>
/// <param name="isLarge">Whether the matrix is so large that only the way that helps more is tried, and that for less long.</param>
internal sealed class RoundedColumns(float lowest, float highest, Func<float, float> storedScale, bool isLarge)
{
    /// <summary>Columns that are rounded at once.</summary>
    public static readonly int Lanes = Vector<float>.Count;

    private const int Most = 128;      // features

    private readonly int _sweeps = isLarge ? 1 : 4;   // over single codes
    private readonly int _rounds = isLarge ? 1 : 2;   // of codes and scales
    private readonly Vector<float>[] _best = new Vector<float>[Most], _bestScales = new Vector<float>[Most];
    private readonly Vector<float>[] _codes = new Vector<float>[Most], _scales = new Vector<float>[Most],
        _inverse = new Vector<float>[Most];
    private readonly Vector<float>[] _rest = new Vector<float>[Most], _error = new Vector<float>[Most], _slope = new Vector<float>[Most],
        _along = new Vector<float>[Most];
    private FeatureBlock _block = null!;

    /// <summary>The wanted numbers, [feature, column], features in the block's order.</summary>
    public Span<float> Wanted => Numbers(_wanted);

    /// <summary>Zero points.</summary>
    public Span<float> Zeros => Numbers(_zeros);

    /// <summary>Scales; the result's, too.</summary>
    public Span<float> Scales => Numbers(_bestScales);

    /// <summary>Codes of the plain rounding; the result's, too.</summary>
    public Span<float> Codes => Numbers(_best);

    private readonly Vector<float>[] _wanted = new Vector<float>[Most];
    private readonly Vector<float>[] _zeros = new Vector<float>[Most];

    /// <summary>Improves the rounding of a block.</summary>
    /// <param name="block">Its moments.</param>
    /// <param name="groups">Features, by position in the block's order, that share a scale which nothing else reads; empty where scales
    /// stay.</param>
    /// <returns>Whether any column became better.</returns>
    public bool Improve(FeatureBlock block, IReadOnlyList<int[]> groups)
    {
        _block = block;
        Begin();
        var best = Objective();
        if (Vector.EqualsAll(best, Vector<float>.Zero)) return false;
        var improved = !isLarge && Keep(ref best, Descended(groups));
        Begin();
        PassErrorsOn();
        return Keep(ref best, Descended(groups)) | improved;
    }

    private static Span<float> Numbers(Vector<float>[] vectors) => MemoryMarshal.Cast<Vector<float>, float>(vectors.AsSpan());

    private static Vector<float> Inverse(Vector<float> scale) =>
        Vector.ConditionalSelect(Vector.Equals(scale, Vector<float>.Zero), Vector<float>.Zero, Vector<float>.One / scale);

    private void Begin()
    {
        for (var k = 0; k < _block.Count; k++)
        {
            (_codes[k], _scales[k], _inverse[k]) = (_best[k], _bestScales[k], Inverse(_bestScales[k]));
            _error[k] = ((_codes[k] - _zeros[k]) * _scales[k]) - _wanted[k];
        }
        Slopes();
    }

    // ½ of the gradient: H·(w′ − w)
    private void Slopes()
    {
        var (n, h) = (_block.Count, _block.Moments);
        var error = _error.AsSpan(0, n);
        for (var j = 0; j < n; j++)
        {
            var row = h.AsSpan(j * n, error.Length);
            var (even, odd) = (Vector<float>.Zero, Vector<float>.Zero);
            for (var k = 0; k + 1 < error.Length; k += 2)
            {
                even += error[k] * row[k];
                odd += error[k + 1] * row[k + 1];
            }
            if (n % 2 == 1) even += error[n - 1] * row[n - 1];
            _slope[j] = even + odd;
        }
    }

    private Vector<float> Objective()
    {
        var sum = Vector<float>.Zero;
        for (var k = 0; k < _block.Count; k++) sum += _error[k] * _slope[k];
        return sum;
    }

    // In each column that a candidate makes better, it takes the place of the best one.
    private bool Keep(ref Vector<float> best, Vector<float> found)
    {
        var better = Vector.LessThan(found, best);
        if (Vector.EqualsAll(better, Vector<int>.Zero)) return false;
        for (var k = 0; k < _block.Count; k++)
        {
            _best[k] = Vector.ConditionalSelect(better, _codes[k], _best[k]);
            _bestScales[k] = Vector.ConditionalSelect(better, _scales[k], _bestScales[k]);
        }
        best = Vector.ConditionalSelect(better, found, best);
        return true;
    }

    // Rounds feature after feature; what is lost at one is made good by those that follow, as far as they vary along with it.
    private void PassErrorsOn()
    {
        var (n, u) = (_block.Count, _block.Feedback);
        _wanted.AsSpan(0, n).CopyTo(_rest);
        for (var k = 0; k < n; k++)
        {
            _codes[k] = Code((_rest[k] * _inverse[k]) + _zeros[k]);
            var stored = (_codes[k] - _zeros[k]) * _scales[k];
            var lost = (_rest[k] - stored) * (1 / u[(k * n) + k]);
            Add(_rest.AsSpan(k + 1, n - k - 1), u.AsSpan((k * n) + k + 1, n - k - 1), -lost);
            _error[k] = stored - _wanted[k];
        }
        Slopes();
    }

    private Vector<float> Descended(IReadOnlyList<int[]> groups)
    {
        for (var round = 0; round < _rounds; round++)
        {
            var sweep = 0;
            while (sweep < _sweeps && ChangeCodes()) sweep++;
            if (sweep == 0 && round > 0) break;
            foreach (var group in groups) ChangeScale(group);
            if (groups.Count == 0) break;
        }
        Slopes();   // anew: many small changes add up
        return Objective();
    }

    // Each code in turn to where its column is best, the others as they are.
    private bool ChangeCodes()
    {
        var (n, h, isChanged) = (_block.Count, _block.Moments, false);
        for (var k = 0; k < n; k++)
        {
            var step = Code(_codes[k] - (_slope[k] * _inverse[k] * (1 / h[(k * n) + k]))) - _codes[k];
            if (Vector.EqualsAll(step, Vector<float>.Zero)) continue;
            isChanged = true;
            _codes[k] += step;
            var moved = step * _scales[k];
            _error[k] += moved;
            Add(_slope.AsSpan(0, n), h.AsSpan(k * n, n), moved);
        }
        return isChanged;
    }

    // The best scale of a group, w′ = (code − zero)·scale, the codes as they are.
    private void ChangeScale(int[] group)
    {
        var (n, h) = (_block.Count, _block.Moments);
        var (slope, curve) = (Vector<float>.Zero, Vector<float>.Zero);
        _along.AsSpan(0, n).Clear();
        foreach (var k in group)
        {
            var code = _codes[k] - _zeros[k];
            Add(_along.AsSpan(0, n), h.AsSpan(k * n, n), code);
            slope += code * _slope[k];
        }
        foreach (var k in group) curve += (_codes[k] - _zeros[k]) * _along[k];
        var old = _scales[group[0]];
        var wanted = old - Vector.ConditionalSelect(Vector.GreaterThan(curve, Vector<float>.Zero), slope / curve, Vector<float>.Zero);
        var step = Stored(wanted) - old;
        var isWorse = Vector.GreaterThanOrEqual((2 * step * slope) + (step * step * curve), Vector<float>.Zero)
            | Vector.LessThanOrEqual((old + step) * old, Vector<float>.Zero);
        step = Vector.ConditionalSelect(isWorse, Vector<float>.Zero, step);
        if (Vector.EqualsAll(step, Vector<float>.Zero)) return;
        for (var j = 0; j < n; j++) _slope[j] += step * _along[j];
        foreach (var k in group)
        {
            _scales[k] = old + step;
            _inverse[k] = Inverse(_scales[k]);
            _error[k] += step * (_codes[k] - _zeros[k]);
        }
    }

    private static void Add(Span<Vector<float>> to, ReadOnlySpan<float> row, Vector<float> factor)
    {
        row = row[..to.Length];
        for (var j = 0; j < row.Length; j++) to[j] += factor * row[j];
    }

    private Vector<float> Code(Vector<float> value) =>
        Vector.Min(Vector.Max(Vector.Round(value), new Vector<float>(lowest)), new Vector<float>(highest));

    private Vector<float> Stored(Vector<float> scales)
    {
        Span<float> rounded = stackalloc float[Vector<float>.Count];
        scales.CopyTo(rounded);
        for (var i = 0; i < rounded.Length; i++) rounded[i] = storedScale(rounded[i]);
        return new Vector<float>(rounded);
    }
}
