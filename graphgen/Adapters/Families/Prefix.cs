using System.Globalization;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>Prefix tuning: in each layer p trained keys and values of each key/value head come before those of the sequence.
/// softmax(scale·q·[K_p; K]ᵀ + mask)·[V_p; V], where the prefix is visible to every query and carries no rotary embedding.</summary>
internal sealed class Prefix(AdapterOptions options) : IAdapterFamily
{
    private static readonly FamilyOption Length =
        FamilyOption.Integer("length", "Number p of keys and values that come before the sequence.", byDefault: 10);

    private static readonly FamilyOption PositionOffset = FamilyOption.Integer("positionOffset",
        "Number of positions that the sequence moves on, as PEFT does: by default the length where keys carry a rotary embedding, else 0.",
        byDefault: null, least: 0);

    public static IReadOnlyList<FamilyOption> Options { get; } = [Length, PositionOffset];

    public string Method => "prefix";

    public string Formula => "p trained keys and values (length, by default 10) come before those of the sequence";

    public bool HasRank => false;

    public FamilyTargets Targets => FamilyTargets.Attention;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. from layer in sites.All.Select(site => site.Layer).Distinct()
           from name in new[] { "prefix_k", "prefix_v" }
           select new Factor(NameOf(layer, name), [sites.KvHeads, options.IntegerOf(Length), sites.HeadWidth], Init.Normal(1)),
    ];

    public IReadOnlyDictionary<string, string> OptionsFor(AdapterSites sites) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [Length.Name] = options.ValueOf(Length),
        [PositionOffset.Name] = (sites.HasRotatedKeys is true ? options.IntegerOf(Length) : 0).ToString(CultureInfo.InvariantCulture),
    };

    public PrecedingKeys? Preceding(int layer, FactorSet f) =>
        new(f[NameOf(layer, "prefix_k")], f[NameOf(layer, "prefix_v")]) { Offset = Offset(f.Sites) };

    private int Offset(AdapterSites sites) => options.Options.TryGetValue(PositionOffset.Name, out var stated)
        ? int.Parse(stated, CultureInfo.InvariantCulture)
        : int.Parse(OptionsFor(sites)[PositionOffset.Name], CultureInfo.InvariantCulture);

    private static string NameOf(int layer, string factor) => $"layers.{layer}.{factor}";
}
