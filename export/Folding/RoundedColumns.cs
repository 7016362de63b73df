using System.Numerics;
using System.Runtime.InteropServices;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Rounds one block of features of some output columns, a column in each lane, so that (w′ − w)ᵀ·H·(w′ − w) becomes small.</summary>
/// <remarks>
/// Two starting points are tried: the plain rounding, and each error passed on to the features that are not rounded yet, as GPTQ does.
/// From both, single codes and the scales that belong to this block alone are changed for as long as that helps. What is not better than
/// the plain rounding is not taken.
/// </remarks>
/// <param name="lowest">The lowest code.</param>
/// <param name="highest">The highest.</param>
/// <param name="storedScale">A scale as the file's type rounds it; null = it does not.</param>
/// <param name="isLarge">Whether the matrix is so large that only the way that helps more is tried, and that for less long.</param>
internal sealed class RoundedColumns(float lowest, float highest, Func<float, float>? storedScale, bool isLarge)
{
    /// <summary>Columns that are rounded at once.</summary>
    public static readonly int Lanes = Vector<float>.Count;

    private const int Most = 128;      // features
    private const int Together = 8;    // features whose changes are passed on at once

    private static readonly int[] Positions = [.. Enumerable.Range(0, Most)];

    private readonly int _sweeps = isLarge ? 1 : 4;   // over single codes
    private readonly int _rounds = isLarge ? 1 : 2;   // of codes and scales
    private readonly Vector<float>[] _wanted = new Vector<float>[Most], _zeros = new Vector<float>[Most];
    private readonly Vector<float>[] _best = new Vector<float>[Most], _bestScales = new Vector<float>[Most];
    private readonly Vector<float>[] _codes = new Vector<float>[Most], _scales = new Vector<float>[Most],
        _inverse = new Vector<float>[Most];
    private readonly Vector<float>[] _rest = new Vector<float>[Most], _error = new Vector<float>[Most], _slope = new Vector<float>[Most],
        _along = new Vector<float>[Most], _moves = new Vector<float>[Most];
    private FeatureBlock _block = null!;

    /// <summary>The wanted numbers, [feature, column], features in the block's order.</summary>
    public Span<float> Wanted => Numbers(_wanted);

    /// <summary>Zero points.</summary>
    public Span<float> Zeros => Numbers(_zeros);

    /// <summary>Scales; the result's, too.</summary>
    public Span<float> Scales => Numbers(_bestScales);

    /// <summary>Codes of the plain rounding; the result's, too.</summary>
    public Span<float> Codes => Numbers(_best);

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
        var improved = false;
        if (!isLarge)
        {
            improved = Keep(ref best, Descended(groups));
            Begin();
        }
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
    }

    // ½ of the gradient: H·(w′ − w)
    private void Slopes()
    {
        var n = _block.Count;
        _slope.AsSpan(0, n).Clear();
        AddRows(_slope, (0, n), _block.Moments, Positions.AsSpan(0, n), _error);
    }

    // eᵀ·H·e, e = w′ − w: H is symmetric, and what lies above the squares on its diagonal counts twice.
    private Vector<float> Objective()
    {
        var (n, h, sum) = (_block.Count, _block.Moments, Vector<float>.Zero);
        _along.AsSpan(0, n).Clear();
        for (var begin = 0; begin < n; begin += Together)
        {
            var end = Math.Min(n, begin + Together);
            AddRows(_along, (begin, end), h, Positions.AsSpan(0, begin), _error);
            for (var j = begin; j < end; j++) _along[j] += _along[j];
            AddRows(_along, (begin, end), h, Positions.AsSpan(begin, end - begin), _error.AsSpan(begin));
            for (var j = begin; j < end; j++) sum += _error[j] * _along[j];
        }
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
        for (var begin = 0; begin < n; begin += Together)
        {
            var end = Math.Min(n, begin + Together);
            for (var k = begin; k < end; k++)
            {
                _codes[k] = Code((_rest[k] * _inverse[k]) + _zeros[k]);
                var stored = (_codes[k] - _zeros[k]) * _scales[k];
                _error[k] = stored - _wanted[k];
                _moves[k - begin] = (stored - _rest[k]) * (1 / u[(k * n) + k]);
                AddRows(_rest, (k + 1, end), u, Positions.AsSpan(k, 1), _moves.AsSpan(k - begin));
            }
            AddRows(_rest, (end, n), u, Positions.AsSpan(begin, end - begin), _moves);
        }
    }

    private Vector<float> Descended(IReadOnlyList<int[]> groups)
    {
        Slopes();
        for (var round = 0; round < _rounds; round++)
        {
            var sweep = 0;
            while (sweep < _sweeps && ChangeCodes()) sweep++;
            if (sweep == 0 && round > 0) break;
            foreach (var group in groups) ChangeScale(group);
            if (groups.Count == 0) break;
        }
        return Objective();
    }

    // Each code in turn to where its column is best, the others as they are.
    private bool ChangeCodes()
    {
        var (n, h, isChanged) = (_block.Count, _block.Moments, false);
        for (var begin = 0; begin < n; begin += Together)
        {
            var (end, isMoved) = (Math.Min(n, begin + Together), false);
            for (var k = begin; k < end; k++)
            {
                var step = Code(_codes[k] - (_slope[k] * _inverse[k] * (1 / h[(k * n) + k]))) - _codes[k];
                _moves[k - begin] = step * _scales[k];
                if (Vector.EqualsAll(step, Vector<float>.Zero)) continue;
                isMoved = true;
                _codes[k] += step;
                _error[k] += _moves[k - begin];
                AddRows(_slope, (begin, end), h, Positions.AsSpan(k, 1), _moves.AsSpan(k - begin));
            }
            if (!isMoved) continue;
            isChanged = true;
            AddRows(_slope, (0, begin), h, Positions.AsSpan(begin, end - begin), _moves);
            AddRows(_slope, (end, n), h, Positions.AsSpan(begin, end - begin), _moves);
        }
        return isChanged;
    }

    // The best scale of a group, w′ = (code − zero)·scale, the codes as they are.
    private void ChangeScale(int[] group)
    {
        var (n, h) = (_block.Count, _block.Moments);
        var (slope, curve) = (Vector<float>.Zero, Vector<float>.Zero);
        _along.AsSpan(0, n).Clear();
        for (var i = 0; i < group.Length; i++)
        {
            _moves[i] = _codes[group[i]] - _zeros[group[i]];
            slope += _moves[i] * _slope[group[i]];
        }
        AddRows(_along, (0, n), h, group, _moves);
        for (var i = 0; i < group.Length; i++) curve += _moves[i] * _along[group[i]];
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

    // to[j] += Σ factor[i]·matrix[rows[i], j] for some j, eight of them at a time, which stay in registers.
    private void AddRows(Vector<float>[] to, (int Begin, int End) part, float[] matrix, ReadOnlySpan<int> rows,
        ReadOnlySpan<Vector<float>> factors)
    {
        var (n, j) = (_block.Count, part.Begin);
        factors = factors[..rows.Length];
        for (; j + 8 <= part.End; j += 8)
        {
            var sums = to.AsSpan(j, 8);
            var (a, b, c, d, e, f, g, h) = (sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7]);
            for (var i = 0; i < rows.Length; i++)
            {
                var factor = factors[i];
                var row = matrix.AsSpan((rows[i] * n) + j, 8);
                a = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[0]), a);
                b = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[1]), b);
                c = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[2]), c);
                d = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[3]), d);
                e = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[4]), e);
                f = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[5]), f);
                g = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[6]), g);
                h = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[7]), h);
            }
            (sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7]) = (a, b, c, d, e, f, g, h);
        }
        for (; j < part.End; j++)
            for (var i = 0; i < rows.Length; i++)
                to[j] = Vector.FusedMultiplyAdd(factors[i], new Vector<float>(matrix[(rows[i] * n) + j]), to[j]);
    }

    private Vector<float> Code(Vector<float> value) =>
        Vector.Min(Vector.Max(Vector.Round(value), new Vector<float>(lowest)), new Vector<float>(highest));

    private Vector<float> Stored(Vector<float> scales)
    {
        if (storedScale is null) return scales;
        Span<float> rounded = stackalloc float[Vector<float>.Count];
        scales.CopyTo(rounded);
        for (var i = 0; i < rounded.Length; i++) rounded[i] = storedScale(rounded[i]);
        return new Vector<float>(rounded);
    }
}
