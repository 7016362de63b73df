using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>What an adapter needs to know of the model that it belongs to, and whether it belongs to another one.</summary>
internal static class BaseModels
{
    public static Architecture ArchitectureOf(Model deployed, AttentionMap map)
    {
        if (map.Layers.Count == 0) throw map.HasAttention ? DiscoveryErrors.NotUnderstood(deployed.Path, map.Findings) : DiscoveryErrors.NoAttention(deployed.Path);
        return new Architecture(map.Hidden, map.Heads, map.KvHeads, map.HeadWidth, map.Layers.Count, TokenEmbedding.Vocabulary(deployed));
    }

    /// <summary>The linear layer of a site.</summary>
    /// <exception cref="LortaException">LRT315: it has other sizes than the model's others; LRT204: it was not understood.</exception>
    public static LinearSite Linear(AttentionMap map, AdapterSite site)
    {
        var linear = map.Site(site.Layer, site.Matrix);
        return linear.In == site.In && linear.Out == site.Out ? linear : throw AdapterErrors.OtherSize(site, linear.In, linear.Out);
    }

    /// <summary>A linear layer's weight as it is stored.</summary>
    public static StoredMatrix Matrix(Model deployed, LinearSite linear) => new(Numbers(deployed, linear.Stored), linear.Stored.IsOutIn, linear.Stored.Columns);

    /// <summary>The whole stored tensor that a linear layer's weight lies in.</summary>
    public static IStoredNumbers Numbers(Model deployed, StoredLinear stored)
    {
        return stored.Codes is { } codes
            ? new QuantizedMatrix(codes, Find(stored.Weight), Find(codes.Scales), codes.ZeroPoints is { } zeros ? Find(zeros) : null)
            : new FloatNumbers(Find(stored.Weight));

        Tensor Find(string name) => deployed.Graph.Find(name)!.StoredTensor()!;
    }

    /// <summary>The model as an adapter's file describes it.</summary>
    public static BaseModel Describe(Model deployed, AttentionMap map, AdapterPlan plan)
    {
        var values = new SortedDictionary<string, IReadOnlyList<float>>(StringComparer.Ordinal);
        var (tolerance, steps) = (0.0, new SortedDictionary<string, IReadOnlyList<float>>(StringComparer.Ordinal));
        foreach (var site in plan.Sites.All)
        {
            var matrix = Matrix(deployed, Linear(map, site));
            tolerance = Math.Max(tolerance, matrix.Numbers.Rounding);
            values[site.Address] = Sketch(site, matrix.ReadAt);
            if (matrix.Numbers is QuantizedMatrix) steps[site.Address] = Sketch(site, matrix.StepAt);
        }
        return new BaseModel(deployed.FileName, plan.Architecture, new WeightSketch(tolerance, values) { Steps = steps.Count > 0 ? steps : null });
    }

    /// <summary>Refuses an adapter of a model of other sizes; the vocabulary may have grown.</summary>
    /// <exception cref="LortaException">LRT310: another architecture.</exception>
    public static void CheckArchitecture(AdapterFolder adapter, Model deployed, Architecture here)
    {
        var trained = adapter.Config.Base.Architecture;
        if (trained with { Vocab = here.Vocab } != here) throw AdapterErrors.OtherArchitecture(adapter.Path, deployed.Path, $"{trained.Describe()} there, {here.Describe()} here");
    }

    /// <summary>Refuses an adapter of another model, before anything is made of either.</summary>
    /// <exception cref="LortaException">LRT310 another architecture; LRT311 other weights.</exception>
    public static void Check(AdapterFolder adapter, Model deployed, bool allowOtherWeights)
    {
        var map = AttentionMap.Of(CanonicalModel.Of(deployed));
        var architecture = ArchitectureOf(deployed, map);
        CheckArchitecture(adapter, deployed, architecture);
        Check(adapter, deployed, map, AdapterPlan.Of(architecture, adapter.Config.AdapterOptions), allowOtherWeights);
    }

    /// <summary>Refuses an adapter of another model.</summary>
    /// <exception cref="LortaException">LRT310 another architecture; LRT311 other weights.</exception>
    public static void Check(AdapterFolder adapter, Model deployed, AttentionMap map, AdapterPlan plan, bool allowOtherWeights)
    {
        CheckArchitecture(adapter, deployed, plan.Architecture);
        adapter.Config.CheckAgainst(plan, adapter.Path);
        if (allowOtherWeights) return;
        if (adapter.Config.Base.Sketch.FirstDifference(Describe(deployed, map, plan).Sketch) is var (address, difference))
            throw AdapterErrors.OtherWeights(adapter.Path, deployed.Path, address, difference);
    }

    private static float[] Sketch(AdapterSite site, Func<int, int, float> at)
    {
        var random = new SeededRandom(0, $"sketch/{site.Address}");
        var values = new float[WeightSketch.PerSite];
        for (var i = 0; i < values.Length; i++) values[i] = at(random.NextIndex(site.In), random.NextIndex(site.Out));
        return values;
    }
}
