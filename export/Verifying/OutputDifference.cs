using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>How far the outputs of two models are apart, masked positions left out.</summary>
/// <param name="Largest">Largest |a − b| over all common outputs.</param>
/// <param name="Size">Largest |a|.</param>
/// <param name="Norm">‖a − b‖ of the logits (of all common outputs where none is called so).</param>
/// <param name="SizeNorm">‖a‖ of the same.</param>
internal readonly record struct OutputDifference(double Largest, double Size, double Norm, double SizeNorm)
{
    private const string Logits = "logits";

    /// <summary>Compares what two models gave for the same batches.</summary>
    public static OutputDifference Between(ModelOutputs a, ModelOutputs b)
    {
        var common = Common(a, b);
        var judged = common.Where(name => name.EndsWith(Logits, StringComparison.OrdinalIgnoreCase)).DefaultIfEmpty().ToHashSet();
        if (judged.Contains(null)) judged = [.. common];
        var largest = 0.0;
        var size = 0.0;
        var squares = 0.0;
        var sizeSquares = 0.0;
        foreach (var (first, second) in a.Batches.Zip(b.Batches))
        {
            foreach (var name in common)
            {
                var found = Between(first.Outputs[name], second.Outputs[name], first.Mask);
                (largest, size) = (Math.Max(largest, found.Largest), Math.Max(size, found.Size));
                if (judged.Contains(name)) (squares, sizeSquares) = (squares + found.Squares, sizeSquares + found.SizeSquares);
            }
        }
        return new OutputDifference(largest, size, Math.Sqrt(squares), Math.Sqrt(sizeSquares));
    }

    private static List<string> Common(ModelOutputs a, ModelOutputs b)
    {
        var (first, second) = (a.Batches[0].Outputs, b.Batches[0].Outputs);
        var common = first.Keys.Where(name => second.TryGetValue(name, out var other) && first[name].Type.IsFloat()
            && first[name].Rank is 2 or 3 && first[name].Dims.SequenceEqual(other.Dims)).ToList();
        return common.Count > 0 ? common : throw VerificationErrors.NoCommonOutput(a.Path, b.Path);
    }

    // [B, S, ..] is compared where the mask is 1, [B, ..] everywhere.
    private static (double Largest, double Size, double Squares, double SizeSquares) Between(OnnxTensor a, OnnxTensor b, OnnxTensor? mask)
    {
        var (x, y) = (a.ToFloats(), b.ToFloats());
        var kept = a.Rank == 3 && mask is not null && mask.Dims.SequenceEqual(a.Dims.Take(2)) ? mask.ToFloats() : null;
        var width = kept is null ? x.Length : (int)a.Dims[2];
        var largest = 0.0;
        var size = 0.0;
        var squares = 0.0;
        var sizeSquares = 0.0;
        for (var row = 0; row * width < x.Length; row++)
        {
            if (kept is not null && kept[row] == 0) continue;
            for (var i = row * width; i < (row + 1) * width; i++)
            {
                if (float.IsFinite(x[i])) (size, sizeSquares) = (Math.Max(size, Math.Abs(x[i])), sizeSquares + ((double)x[i] * x[i]));
                if (x[i].Equals(y[i])) continue;   // infinities and NaN included
                var difference = float.IsFinite(x[i]) && float.IsFinite(y[i]) ? Math.Abs((double)x[i] - y[i]) : double.PositiveInfinity;
                (largest, squares) = (Math.Max(largest, difference), squares + (difference * difference));
            }
        }
        return (largest, size, squares, sizeSquares);
    }
}

/// <summary>What a model gave for some batches.</summary>
/// <param name="Path">Its file, for messages.</param>
/// <param name="Batches">Outputs by name, and which positions count; null = all.</param>
internal sealed record ModelOutputs(
    string Path, IReadOnlyList<(IReadOnlyDictionary<string, OnnxTensor> Outputs, OnnxTensor? Mask)> Batches);
