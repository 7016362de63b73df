using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>A batch as the runs of a graph, which may fix the number of rows or their length.</summary>
internal sealed class FittedBatch
{
    private readonly FixedRuns _runs;

    /// <summary>Cuts a batch.</summary>
    /// <param name="batch">A batch of any size.</param>
    /// <param name="fit">What the graph takes.</param>
    public FittedBatch(Batch batch, BatchRuns fit)
    {
        (_runs, var shares) = fit.Cut(batch.Inputs, batch.Filler);
        var (rows, length) = (fit.Sizes.Rows ?? batch.Rows, fit.Sizes.Length ?? batch.Length);
        Runs = [.. _runs.Inputs.Zip(shares, (inputs, share) => (batch with { Inputs = inputs, Rows = rows, Length = length }, share))];
    }

    /// <summary>The runs, each with its share of the batch's loss.</summary>
    public IReadOnlyList<(Batch Batch, double Share)> Runs { get; }

    /// <summary>Evaluates the runs and puts their outputs together; the loss is that of the whole batch.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Forward(Func<Batch, IReadOnlyDictionary<string, OnnxTensor>> evaluate)
    {
        var outputs = Runs.Select(run => evaluate(run.Batch)).ToList();
        if (_runs.IsWhole) return outputs[0];
        var joined = _runs.Join(outputs).ToDictionary(StringComparer.Ordinal);
        if (!joined.ContainsKey(TrainingNames.Loss)) return joined;   // a graph that only predicts
        var loss = outputs.Zip(Runs, (output, run) => run.Share * output[TrainingNames.Loss].ToFloats()[0]).Sum();
        joined[TrainingNames.Loss] = OnnxTensor.Scalar((float)loss);
        return joined;
    }
}
