using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>How batches of any size go through graphs that fix some sizes.</summary>
/// <param name="Sizes">What the graphs fix.</param>
/// <param name="Loss">The loss, which knows the labels that it averages over; null = sizes are free.</param>
internal sealed record BatchRuns(FixedSizes Sizes, ILoss? Loss)
{
    /// <summary>Masks that attention reads as lengths.</summary>
    public LengthMasks Lengths { get; init; } = LengthMasks.None;

    /// <summary>Graphs that take any batch.</summary>
    public static BatchRuns Any { get; } = new(new FixedSizes(null, null), null);

    /// <summary>Reads a model, before a loss is added to it.</summary>
    public static BatchRuns Of(CanonicalModel canonical, ILoss loss)
    {
        var sizes = FixedSizes.Of(canonical.Deployed.Graph);
        var isPaddingMasked = canonical.Cores.All(core => PaddingMask.Covers(core.Mask));
        return new BatchRuns(sizes with { IsPaddingMasked = isPaddingMasked }, loss)
        {
            Lengths = LengthMasks.Of(canonical.Deployed),
        };
    }

    /// <summary>Cuts a batch into runs, each with its share of the batch's mean loss: its labels / the batch's labels.</summary>
    /// <exception cref="LortaException">LRT207: a mask that is no length; LRT413, LRT414: the rows do not fit; LRT416: the last run
    /// cannot be filled up.</exception>
    public (FixedRuns Runs, IReadOnlyList<double> Shares) Cut(IReadOnlyDictionary<string, OnnxTensor> inputs, long filler)
    {
        Lengths.Check(inputs);
        var runs = Sizes.Cut(inputs, filler);
        if (Loss is NamedLoss && runs.FilledRows > 0)
            throw LossErrors.UnlabelledRow(Loss.Name, Sizes.Rows!.Value - runs.FilledRows, Sizes.Rows.Value);
        if (runs.Inputs.Count == 1) return (runs, [1]);
        var counts = runs.Inputs.Select(run => run.TryGetValue(TaskLosses.Labels, out var labels) ? Loss!.CountLabels(labels) : 1).ToList();
        var total = counts.Sum();
        return (runs, [.. counts.Select(count => total == 0 ? 1.0 / counts.Count : (double)count / total)]);
    }
}
