using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
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
    public static StoredMatrix Matrix(Model deployed, LinearSite linear) =>
        new(Numbers(deployed, linear.Stored), linear.Stored.Layout, linear.Stored.Columns, linear.Stored.Factor);

    /// <summary>The whole stored tensor that a linear layer's weight lies in.</summary>
    public static IStoredNumbers Numbers(Model deployed, StoredLinear stored) =>
        stored.Codes is { } codes
            ? Numbers(deployed, stored.Weight, codes)
            : new FloatNumbers(Find(deployed, stored.Weight), stored.Size.Rows, stored.Size.Columns);

    /// <summary>A stored matrix of few bits.</summary>
    public static QuantizedMatrix Numbers(Model deployed, string weight, StoredCodes codes) =>
        new(codes, Find(deployed, weight), Find(deployed, codes.Scales), codes.ZeroPoints is { } zeros ? Find(deployed, zeros) : null);

    /// <summary>The model as an adapter's file describes it.</summary>
    public static BaseModel Describe(Model deployed, AttentionMap map, AdapterPlan plan) =>
        new(deployed.FileName, plan.Architecture, BaseSketch.Of(deployed, map, plan));

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
        adapter.CheckNames(plan);
        if (allowOtherWeights) return;
        var differences = DifferencesOf(adapter, deployed, map, plan);
        if (differences.Count > 0) throw AdapterErrors.OtherWeights(adapter.Path, deployed.Path, differences);
    }

    // Parameters that the adapter replaces may be any, such as a classifier that starts at random in each export; of a vocabulary that
    // has grown much, other rows are sketched.
    private static IReadOnlyList<(string Name, double Difference)> DifferencesOf(AdapterFolder adapter, Model deployed, AttentionMap map,
        AdapterPlan plan)
    {
        var replaced = adapter.Config.Trainables.ToHashSet(StringComparer.Ordinal);
        var (vocabularyThere, vocabulary) = (adapter.Config.Base.Architecture.Vocab, plan.Architecture.Vocab);
        var hasOtherRows = vocabularyThere is { } rowsThere && vocabulary is { } rowsHere
            && BaseSketch.RowsOfAnyVocabulary(rowsThere) != BaseSketch.RowsOfAnyVocabulary(rowsHere);
        var here = BaseSketch.Of(deployed, map, plan, (name, rows) => replaced.Contains(name) || (hasOtherRows && rows == vocabulary));
        var required = plan.Sites.All.Select(site => site.Address).ToHashSet(StringComparer.Ordinal);
        return [.. adapter.Config.Base.Sketch.DifferencesFrom(here, required)];
    }

    private static Tensor Find(Model deployed, string name) => deployed.Graph.Find(name)!.StoredTensor()!;
}
