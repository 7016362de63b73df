using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>A batch as the runs of a model with fixed sizes: each has the model's number of rows, padded to its length.</summary>
/// <remarks>Rows that fill the last run up repeat its last row and have no labels. (A row that is masked as a whole would have NaN in its
/// softmax, and so in every gradient.)</remarks>
internal sealed class FixedRuns
{
    private readonly (int Batch, int Run) _rows;
    private readonly (int Batch, int Run) _length;

    /// <summary>Cuts a batch.</summary>
    /// <param name="inputs">The inputs of the batch by name.</param>
    /// <param name="rows">Rows of the batch, and of a run.</param>
    /// <param name="length">Length of the batch's rows, and of a run's.</param>
    /// <param name="filler">What rows of an input are padded with, by its name: a token id, a mask's 0.</param>
    public FixedRuns(IReadOnlyDictionary<string, OnnxTensor> inputs, (int Batch, int Run) rows, (int Batch, int Run) length,
        Func<string, long> filler)
    {
        (_rows, _length) = (rows, length);
        IsWhole = rows.Batch == rows.Run && length.Batch == length.Run;
        Inputs = IsWhole ? [inputs]
            : [.. Enumerable.Range(0, (rows.Batch + rows.Run - 1) / rows.Run).Select(run => Run(inputs, run, filler))];
    }

    private FixedRuns(IReadOnlyDictionary<string, OnnxTensor> inputs) => (Inputs, IsWhole) = ([inputs], true);

    /// <summary>Whether the batch fits as it is, in one run.</summary>
    public bool IsWhole { get; }

    /// <summary>Rows of the last run that are not the batch's.</summary>
    public int FilledRows => (Inputs.Count * _rows.Run) - _rows.Batch;

    /// <summary>The inputs of each run.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Inputs { get; }

    /// <summary>A batch that fits as it is.</summary>
    public static FixedRuns Whole(IReadOnlyDictionary<string, OnnxTensor> inputs) => new(inputs);

    /// <summary>The outputs of the batch: the runs' real rows one below the other, their tokens without the padding. What has no rows is
    /// that of the first run.</summary>
    /// <param name="outputs">The outputs of each run.</param>
    public IReadOnlyDictionary<string, OnnxTensor> Join(IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> outputs) => IsWhole
        ? outputs[0]
        : outputs[0].ToDictionary(output => output.Key, output => Joined([.. outputs.Select(run => run[output.Key])]),
            StringComparer.Ordinal);

    private Dictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> inputs, int run, Func<string, long> filler)
    {
        var start = run * _rows.Run;
        var count = Math.Min(_rows.Run, _rows.Batch - start);
        return inputs.ToDictionary(input => input.Key, input => Fitted(input.Key, input.Value), StringComparer.Ordinal);

        OnnxTensor Fitted(string name, OnnxTensor tensor)
        {
            if (tensor.Rank == 0 || tensor.Dims[0] != _rows.Batch) return tensor;
            var isLabels = name == TaskLosses.Labels;
            var filled = Enumerable.Range(start, isLabels ? count : _rows.Run).Select(row => Math.Min(row, start + count - 1));
            var rows = TensorAxes.TakeRows(tensor, [.. filled]);
            if (isLabels) rows = TensorAxes.Resize(rows, axis: 0, _rows.Run, NoLabel(tensor.Type));
            if (tensor.Rank != 2 || tensor.Dims[1] != _length.Batch) return rows;
            return TensorAxes.Resize(
                rows, axis: 1, _length.Run, isLabels ? NoLabel(tensor.Type) : InputTypes.Scalar(filler(name), tensor.Type));
        }
    }

    private OnnxTensor Joined(IReadOnlyList<OnnxTensor> parts)
    {
        var first = parts[0];
        if (first.Rank == 0 || first.Dims[0] != _rows.Run) return first;
        var rows = TensorAxes.Resize(TensorAxes.ConcatRows(parts), axis: 0, _rows.Batch, InputTypes.Scalar(0, first.Type));
        // [B, S, ..], or the most likely token of each position
        var hasTokens = first.Rank == 3 || (first.Rank == 2 && !first.Type.IsFloat());
        return hasTokens && first.Dims[1] == _length.Run
            ? TensorAxes.Resize(rows, axis: 1, _length.Batch, InputTypes.Scalar(0, first.Type))
            : rows;
    }

    private static OnnxTensor NoLabel(ElementType type) => InputTypes.Scalar(type.IsFloat() ? double.NaN : TaskLosses.Ignored, type);
}
