using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>AdaLoRA's allocator: it follows how much every trained number matters, and zeroes the E of those triplets (a column of A, a
/// number of E, a column of B) that matter least among all matrices. Until the last mask is made, a triplet may come back.</summary>
/// <remarks>The state of a trained number w with gradient g: sensitivity I ← β₁·I + (1 − β₁)·i with i = |w·g|, uncertainty
/// U ← β₂·U + (1 − β₂)·|i − I|. Zhang and others 2023, sections 3.2 and 3.3.</remarks>
internal sealed class RankAllocator(IReadOnlyList<AdapterSite> sites, RankSchedule schedule) : IAfterStep
{
    private static readonly string[] Parts = ["E", "A", "B"];

    /// <inheritdoc/>
    public long FirstFinalStep => schedule.End;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> InitialState
    {
        get
        {
            var state = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
            foreach (var site in sites)
            {
                foreach (var (part, dims) in Parts.Zip<string, long[]>([[site.Rank], [site.In, site.Rank], [site.Out, site.Rank]]))
                    state[Sensitivity(site, part)] = state[Uncertainty(site, part)] = Zeros(dims);
                state[Mask(site)] = OnnxTensor.Of<float>([site.Rank], Enumerable.Repeat(1f, site.Rank).ToArray());
            }
            return state;
        }
    }

    /// <inheritdoc/>
    public StepChange Apply(FinishedStep done)
    {
        var state = done.State.ToDictionary(StringComparer.Ordinal);
        if (done.Step < schedule.End)
            foreach (var site in sites)
                foreach (var part in Parts) Follow(done, site, part, state);
        if (schedule.Chooses(done.Step)) Choose(schedule.At(done.Step), state);
        else if (done.Step <= schedule.End) return new(new Dictionary<string, OnnxTensor>(StringComparer.Ordinal), state);
        return new(sites.ToDictionary(E, site => Masked(done.Factors[E(site)], state[Mask(site)]), StringComparer.Ordinal), state);
    }

    private void Follow(FinishedStep done, AdapterSite site, string part, Dictionary<string, OnnxTensor> state)
    {
        var factor = $"{site.Key}.{part}";
        var w = done.Factors[factor].Span<float>();
        var g = done.Gradients[factor].Span<float>();
        var (sensitivity, uncertainty) = (state[Sensitivity(site, part)].ToFloats(), state[Uncertainty(site, part)].ToFloats());
        var (beta1, beta2) = (schedule.Allocation.Beta1, schedule.Allocation.Beta2);
        for (var i = 0; i < w.Length; i++)
        {
            var now = Math.Abs((double)w[i] * g[i]);
            var smooth = (beta1 * sensitivity[i]) + ((1 - beta1) * now);
            uncertainty[i] = (float)((beta2 * uncertainty[i]) + ((1 - beta2) * Math.Abs(now - smooth)));
            sensitivity[i] = (float)smooth;
        }
        var dims = done.Factors[factor].Dims;
        state[Sensitivity(site, part)] = OnnxTensor.Of<float>([.. dims], sensitivity);
        state[Uncertainty(site, part)] = OnnxTensor.Of<float>([.. dims], uncertainty);
    }

    // As many triplets as the budget lacks are masked, the least important of all matrices; those that tie go together.
    private void Choose(long budget, Dictionary<string, OnnxTensor> state)
    {
        var scores = sites.Select(site => Scores(site, state)).ToList();
        var ascending = scores.SelectMany(score => score).Order().ToList();
        var masked = ascending.Count - (int)budget;
        var threshold = masked > 0 ? ascending[masked - 1] : double.NegativeInfinity;
        foreach (var (site, score) in sites.Zip(scores))
            state[Mask(site)] = OnnxTensor.Of<float>([site.Rank], Array.ConvertAll(score, value => value <= threshold ? 0f : 1f));
    }

    // I·U of E, plus the means of I·U over the columns of A and of B, [r].
    private static double[] Scores(AdapterSite site, Dictionary<string, OnnxTensor> state)
    {
        var scores = new double[site.Rank];
        foreach (var part in Parts)
        {
            var sensitivity = state[Sensitivity(site, part)].Span<float>();
            var uncertainty = state[Uncertainty(site, part)].Span<float>();
            var sums = new double[site.Rank];
            for (var i = 0; i < sensitivity.Length; i++) sums[i % site.Rank] += (double)sensitivity[i] * uncertainty[i];
            var rows = sensitivity.Length / site.Rank;
            for (var k = 0; k < scores.Length; k++) scores[k] += sums[k] / rows;
        }
        return scores;
    }

    private static OnnxTensor Masked(OnnxTensor values, OnnxTensor mask)
    {
        var masked = values.ToFloats();
        var keeps = mask.Span<float>();
        for (var k = 0; k < masked.Length; k++)
            if (keeps[k] == 0) masked[k] = 0;
        return OnnxTensor.Of<float>([.. values.Dims], masked);
    }

    private static OnnxTensor Zeros(long[] dims) => OnnxTensor.Of<float>(dims, new float[dims.Size()]);

    private static string E(AdapterSite site) => $"{site.Key}.E";

    private static string Sensitivity(AdapterSite site, string part) => $"sensitivity.{site.Key}.{part}";

    private static string Uncertainty(AdapterSite site, string part) => $"uncertainty.{site.Key}.{part}";

    private static string Mask(AdapterSite site) => $"mask.{site.Key}";
}
