using System.Numerics;
using System.Runtime.InteropServices;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Rounds one block of features of some output columns, a column in each lane, so that (w′ − w)ᵀ·H·(w′ − w) becomes
/// small.</summary>
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

    private const int Most = SecondMoments.BlockWidth;

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

    /// <summary>The result's scales.</summary>
    public Span<float> Scales => Numbers(_bestScales);

    /// <summary>Codes of the plain rounding; the result's, too.</summary>
    public Span<float> Codes => Numbers(_best);

    /// <summary>Sets the scale and the zero point that features of a column share, at the first of them.</summary>
    public void SetScale(int column, int[] features, float scale, float zero)
    {
        var place = (features[0] * Lanes) + column;
        (Numbers(_bestScales)[place], Numbers(_zeros)[place]) = (scale, zero);
    }

    /// <summary>Gives features what was set at the first of them.</summary>
    public void RepeatScale(int[] features)
    {
        var (scale, zero) = (_bestScales[features[0]], _zeros[features[0]]);
        foreach (var k in features) (_bestScales[k], _zeros[k]) = (scale, zero);
    }

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
            _codes[k] = _best[k];
            _scales[k] = _bestScales[k];
            _inverse[k] = Inverse(_bestScales[k]);
            _error[k] = ((_codes[k] - _zeros[k]) * _scales[k]) - _wanted[k];
        }
    }

    // ½ of the gradient: H·(w′ − w)
    private void Slopes()
    {
        var n = _block.Count;
        _slope.AsSpan(0, n).Clear();
        for (var begin = 0; begin < n; begin += PanelMatrix.Width)
            AddRows(_block.Moments, begin, (0, n), _error, _slope.AsSpan(begin));
    }

    // eᵀ·H·e, e = w′ − w: H is symmetric, and what lies above the squares on its diagonal counts twice.
    private Vector<float> Objective()
    {
        var (n, sum) = (_block.Count, Vector<float>.Zero);
        var along = _along.AsSpan(0, PanelMatrix.Width);
        for (var begin = 0; begin < n; begin += PanelMatrix.Width)
        {
            var end = Math.Min(n, begin + PanelMatrix.Width);
            along.Clear();
            AddRows(_block.Moments, begin, (0, begin), _error, along);
            foreach (ref var number in along) number += number;
            AddRows(_block.Moments, begin, (begin, end), _error, along);
            for (var j = begin; j < end; j++) sum = Vector.FusedMultiplyAdd(_error[j], along[j - begin], sum);
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
        var n = _block.Count;
        _wanted.AsSpan(0, n).CopyTo(_rest);
        for (var begin = 0; begin < n; begin += PanelMatrix.Width)
        {
            var rest = _rest.AsSpan(begin, PanelMatrix.Width);
            AddRows(_block.Feedback, begin, (0, begin), _moves, rest);
            for (var k = begin; k < Math.Min(n, begin + PanelMatrix.Width); k++)
            {
                _codes[k] = Code(Vector.FusedMultiplyAdd(rest[k - begin], _inverse[k], _zeros[k]));
                var stored = (_codes[k] - _zeros[k]) * _scales[k];
                _error[k] = stored - _wanted[k];
                var move = _moves[k] = stored - rest[k - begin];
                var row = _block.Feedback.Row(k, begin);
                for (var j = k - begin + 1; j < rest.Length; j++)
                    rest[j] = Vector.FusedMultiplyAdd(move, new Vector<float>(row[j]), rest[j]);
            }
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
        if (isLarge && groups.Count > 0) ChangeCodes();   // in place of another round
        var objective = Vector<float>.Zero;
        for (var k = 0; k < _block.Count; k++) objective = Vector.FusedMultiplyAdd(_error[k], _slope[k], objective);
        return objective;
    }

    // Each code in turn to where its column is best, the others as they are.
    private bool ChangeCodes()
    {
        var n = _block.Count;
        var h = _block.Moments;
        var isChanged = false;
        for (var begin = 0; begin < n; begin += PanelMatrix.Width)
        {
            var slope = _slope.AsSpan(begin, PanelMatrix.Width);
            if (isChanged) AddRows(h, begin, (0, begin), _moves, slope);
            for (var k = begin; k < Math.Min(n, begin + PanelMatrix.Width); k++)
            {
                var row = h.Row(k, begin);
                var step = Code(_codes[k] - (slope[k - begin] * _inverse[k] * (1 / row[k - begin]))) - _codes[k];
                var move = _moves[k] = step * _scales[k];
                if (Vector.EqualsAll(step, Vector<float>.Zero)) continue;
                isChanged = true;
                _codes[k] += step;
                _error[k] += move;
                for (var j = 0; j < slope.Length; j++) slope[j] = Vector.FusedMultiplyAdd(move, new Vector<float>(row[j]), slope[j]);
            }
        }
        if (!isChanged) return false;
        for (var begin = 0; begin + PanelMatrix.Width < n; begin += PanelMatrix.Width)   // codes behind a panel moved as well
            AddRows(h, begin, (begin + PanelMatrix.Width, n), _moves, _slope.AsSpan(begin));
        return true;
    }

    // The best scale of a group, w′ = (code − zero)·scale, the codes as they are.
    private void ChangeScale(int[] group)
    {
        var n = _block.Count;
        var (slope, curve) = (Vector<float>.Zero, Vector<float>.Zero);
        _along.AsSpan(0, n).Clear();
        for (var i = 0; i < group.Length; i++)
        {
            _moves[i] = _codes[group[i]] - _zeros[group[i]];
            slope += _moves[i] * _slope[group[i]];
        }
        for (var begin = 0; begin < n; begin += PanelMatrix.Width)
            _block.Moments.AddRows(begin, group, _moves, _along.AsSpan(begin));
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

    private static void AddRows(PanelMatrix matrix, int begin, (int Begin, int End) rows, ReadOnlySpan<Vector<float>> factors,
        Span<Vector<float>> to) =>
        matrix.AddRows(begin, Positions.AsSpan(rows.Begin, rows.End - rows.Begin), factors[rows.Begin..], to);

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
