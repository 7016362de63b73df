using System.Numerics;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters.Stored;

/// <summary>Makes the sketch of a model: of each matrix eight numbers are read, nothing else.</summary>
/// <param name="deployed">The model.</param>
/// <param name="map">Its attention, and how it keeps low-bit matrices.</param>
internal sealed class BaseSketch(OnnxModel deployed, AttentionMap map)
{
    private readonly SortedDictionary<string, IReadOnlyList<float>> _values = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, IReadOnlyList<float>> _steps = new(StringComparer.Ordinal);
    private double _tolerance;

    /// <summary>Numbers of the adapted matrices by address, of all others by PyTorch's name.</summary>
    /// <param name="deployed">The model.</param>
    /// <param name="map">Its attention.</param>
    /// <param name="plan">The adapter.</param>
    /// <param name="isLeftOut">Parameters that are not compared, by name and number of rows; null = none.</param>
    public static WeightSketch Of(OnnxModel deployed, AttentionMap map, AdapterPlan plan, Func<string, int, bool>? isLeftOut = null)
    {
        var sketch = new BaseSketch(deployed, map);
        var adapted = new HashSet<(string Weight, long Start, long End)>();
        foreach (var site in plan.Sites.All)
        {
            var linear = BaseModels.Linear(map, site);
            if (linear.Stored.Columns is [var (start, end)]) adapted.Add((linear.Stored.Weight, start, end));
            sketch.Add(site.Address, BaseModels.Matrix(deployed, linear), linear.Out);
        }
        foreach (var name in ParameterNames.Untied(deployed))
        {
            if (sketch.MatrixOf(name) is not { } matrix || isLeftOut?.Invoke(name.Name, matrix.Out) == true) continue;
            var (from, to) = matrix.Columns[0];
            if (!adapted.Contains((name.Initializer, from, to))) sketch.Add(name.Name, matrix, RowsOfAnyVocabulary(matrix.Out));
        }
        return new WeightSketch(sketch._values) { Tolerance = sketch._tolerance, Steps = sketch._steps.Count > 0 ? sketch._steps : null };
    }

    /// <summary>How many rows of a parameter [rows, ..] may be sketched: the largest power of two, so that a table to which a few rows
    /// were added is sketched at the same places.</summary>
    public static int RowsOfAnyVocabulary(int rows) => rows == 0 ? 0 : (int)BitOperations.RoundUpToPowerOf2((uint)rows + 1) / 2;

    private void Add(string name, WeightView matrix, int features)
    {
        if (matrix.In == 0 || features == 0) return;
        _tolerance = Math.Max(_tolerance, matrix.Numbers.Rounding);
        _values[name] = Numbers(name, matrix, features, matrix.ReadAt);
        if (matrix.Numbers is QuantizedMatrix) _steps[name] = Numbers(name, matrix, features, matrix.StepAt);
    }

    private static float[] Numbers(string name, WeightView matrix, int features, Func<int, int, float> at)
    {
        var random = new SeededRandom(0, $"sketch/{name}");
        var values = new float[WeightSketch.PerMatrix];
        for (var i = 0; i < values.Length; i++) values[i] = at(random.NextIndex(matrix.In), random.NextIndex(features));
        return values;
    }

    // A parameter [rows, columns] in PyTorch's orientation: W [columns, rows]. Null where it is no matrix of numbers of a known kind, or
    // other exports may store other numbers of it.
    private WeightView? MatrixOf(ParameterName name)
    {
        if (map.Scaled.Contains(name.Initializer)) return null;
        if (deployed.Graph.Find(name.Initializer)?.StoredTensor() is not { } tensor) return null;
        if (name.Matrix is var (storedRows, storedColumns)) tensor = tensor.WithDims([storedRows, storedColumns]);
        IStoredNumbers? numbers = map.Codes.TryGetValue(name.Initializer, out var codes)
            ? BaseModels.Numbers(deployed, name.Initializer, codes)
            : tensor.Rank == 2 && tensor.Type.IsFloat() ? new FloatNumbers(tensor)
            : null;
        if (numbers is null) return null;
        var rows = name.IsTransposed ? numbers.Columns : numbers.Rows;
        var range = name.Slice is { } part ? (part.Start, part.End) : (0, rows);
        return range.End <= rows ? new WeightView(numbers, name.Layout, [range]) : null;
    }
}
