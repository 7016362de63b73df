using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Adapters.Stored;

/// <summary>What an adapter needs to know of the model that it belongs to, and whether it belongs to another one.</summary>
internal static class BaseModels
{
    /// <summary>W of a site, [in, out].</summary>
    public static OnnxTensor WeightOf(this UnderstoodModel model, AdapterSite site) =>
        LinearPort.NumbersOf(model.Deployed, Linear(model.Map, site));

    /// <summary>The linear layer of a site.</summary>
    /// <exception cref="LortaException">LRT315: it has other sizes than the model's others; LRT204: it was not understood.</exception>
    public static Projection Linear(AttentionMap map, AdapterSite site)
    {
        var linear = map.Site(site.Layer, site.Matrix);
        return linear.In == site.In && linear.Out == site.Out ? linear : throw AdapterErrors.OtherSize(site, linear.In, linear.Out);
    }

    /// <summary>The linear layers that a plan changes: none where it acts on attention.</summary>
    /// <exception cref="LortaException">LRT204, LRT315: as of one.</exception>
    public static IReadOnlyList<Projection> Linears(AttentionMap map, AdapterPlan plan) =>
        plan.Family.Targets.AreAttention ? [] : [.. plan.Sites.All.Select(site => Linear(map, site))];

    /// <summary>A linear layer's weight as it is stored.</summary>
    public static WeightView Matrix(OnnxModel deployed, Projection linear) =>
        new(Numbers(deployed, linear.Stored), linear.Stored.Layout, linear.Stored.Columns, linear.Stored.Factor);

    /// <summary>The whole stored tensor that a linear layer's weight lies in.</summary>
    public static IStoredNumbers Numbers(OnnxModel deployed, StoredPlace stored) =>
        stored.Codes is { } codes
            ? Numbers(deployed, stored.Weight, codes)
            : new FloatNumbers(Find(deployed, stored.Weight), stored.Size.Rows, stored.Size.Columns);

    /// <summary>A stored low-bit matrix.</summary>
    public static QuantizedMatrix Numbers(OnnxModel deployed, string weight, BlockLayout codes) =>
        new(codes, Find(deployed, weight), Find(deployed, codes.Scales), codes.ZeroPoints is { } zeros ? Find(deployed, zeros) : null);

    /// <summary>The model as an adapter's file describes it.</summary>
    public static BaseModel Describe(UnderstoodModel model, AdapterPlan plan) =>
        new(model.Deployed.FileName, plan.Stated, BaseSketch.Of(model.Deployed, model.Map, plan).Finite());

    /// <summary>The plan of a stored adapter, which is refused where it belongs to another model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="allowOtherWeights">Whether it may have been trained on other weights.</param>
    /// <param name="catalog">Families to choose from.</param>
    /// <exception cref="LortaException">LRT201, LRT204: no attention that was understood; LRT310 another architecture; LRT311 other
    /// weights.</exception>
    public static AdapterPlan PlanOf(
        UnderstoodModel model, Adapter adapter, bool allowOtherWeights, LortaCatalog catalog)
    {
        CheckArchitecture(adapter, model.Deployed, Architecture.OrUnknown(model));
        var plan = AdapterPlan.Of(model, adapter.Config.AdapterOptions, catalog);
        Check(adapter, model, plan, allowOtherWeights);
        return plan;
    }

    /// <summary>Refuses an adapter of another model.</summary>
    /// <exception cref="LortaException">LRT310 another architecture; LRT311 other weights; LRT714 the model
    /// holds it already.</exception>
    public static void Check(Adapter adapter, UnderstoodModel model, AdapterPlan plan, bool allowOtherWeights)
    {
        CheckArchitecture(adapter, model.Deployed, plan.Architecture);
        adapter.Config.CheckAgainst(plan, adapter.Path);
        adapter.CheckNames(plan);
        if (allowOtherWeights) return;
        if (EarlierAdapters.Hold(model.Deployed.Graph, () => adapter.FactorsOf(plan)))
            throw AdapterErrors.HeldAlready(adapter.Path, model.Deployed.Path);
        var differences = DifferencesOf(adapter, model, plan);
        if (differences.Count > 0) throw AdapterErrors.OtherWeights(adapter.Path, model.Deployed.Path, differences);
    }

    private static void CheckArchitecture(Adapter adapter, OnnxModel deployed, Architecture here)
    {
        var trained = adapter.Config.Base.Architecture ?? Architecture.Unknown;
        if (!trained.Fits(here))
            throw AdapterErrors.OtherArchitecture(adapter.Path, deployed.Path, $"{trained.Describe()} there, {here.Describe()} here");
    }

    // Parameters that the adapter replaces may be any, such as a classifier that starts at random in each export; of a vocabulary that
    // has grown much, other rows are sketched.
    private static IReadOnlyList<(string Name, double Difference)> DifferencesOf(Adapter adapter, UnderstoodModel model,
        AdapterPlan plan)
    {
        var replaced = adapter.Config.Trainables.ToHashSet(StringComparer.Ordinal);
        var (vocabularyThere, vocabulary) = (adapter.Config.Base.Architecture?.Vocab, plan.Architecture.Vocab);
        var hasOtherRows = vocabularyThere is { } rowsThere && vocabulary is { } rowsHere
            && BaseSketch.RowsOfAnyVocabulary(rowsThere) != BaseSketch.RowsOfAnyVocabulary(rowsHere);
        var here = BaseSketch.Of(
            model.Deployed, model.Map, plan, (name, rows) => replaced.Contains(name) || (hasOtherRows && rows == vocabulary));
        var required = plan.Sites.All.Select(site => site.Address).ToHashSet(StringComparer.Ordinal);
        return [.. adapter.Config.Base.Sketch.DifferencesFrom(here, required)];
    }

    private static OnnxTensor Find(OnnxModel deployed, string name) => deployed.Graph.Find(name)!.StoredTensor()!;
}
