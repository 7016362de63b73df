namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>The families of this project, and how a family is found in a catalog. Users add theirs to a <see cref="LortaCatalog"/>, not
/// here.</summary>
internal static class AdapterFamilies
{
    /// <summary>All families that come with the project; what chooses one asks a catalog.</summary>
    public static IReadOnlyList<AdapterFamilyEntry> All { get; } =
    [
        new("lorta", Lorta.Options, options => new Lorta(options)),
        new("lora", [AdapterOptions.RankStabilised], options => new Lora(options)),
        new("lora_fa", [AdapterOptions.RankStabilised], options => new LoraFa(options)),
        new("vera", [], options => new Vera(options)),
        new("nola", Nola.Options, options => new Nola(options)),
        new("lotr", Lotr.Options, options => new Lotr(options)),
        new("fact_tt", [AdapterOptions.RankStabilised], options => new FactTt(options)),
        new("fact_tk", [AdapterOptions.RankStabilised], options => new FactTk(options)),
        new("adalora", AdaLora.Options, options => new AdaLora(options)),
        new("loretta_rep", LorettaRep.Options, options => new LorettaRep(options)),
        new("ia3", [], _ => new Ia3()),
        new("dora", [AdapterOptions.RankStabilised], options => new Dora(options)),
        new("loretta_adp", LorettaAdp.Options, options => new LorettaAdp(options)),
        new("prefix", Prefix.Options, options => new Prefix(options)),
        new("bitfit", [], _ => new BitFit()),
        new("full", [], _ => new Full()),
    ];

    /// <summary>The family of a name; null where there is none.</summary>
    public static AdapterFamilyEntry? FamilyOf(this LortaCatalog catalog, string method) =>
        catalog.Families.FirstOrDefault(family => family.Method == method);

    /// <summary>Makes the family that the options name.</summary>
    /// <exception cref="LortaException">LRT301 unknown method; LRT302 unknown option; LRT303 bad value; LRT317 a scale that is no
    /// number.</exception>
    public static IAdapterFamily Create(this LortaCatalog catalog, AdapterOptions options)
    {
        var entry = catalog.FamilyOf(options.Method)
            ?? throw AdapterErrors.UnknownMethod(options.Method, catalog.Families.Select(family => family.Method));
        foreach (var (name, value) in options.Options)
        {
            var option = entry.Options.FirstOrDefault(option => option.Name == name)
                ?? throw AdapterErrors.UnknownOption(options.Method, name, entry.Options.Select(option => option.Name));
            if (option.Check(value) is { } problem) throw AdapterErrors.OptionValue(options.Method, name, value, problem);
        }
        var family = entry.Create(options);
        return double.IsFinite(family.Scale) ? family : throw AdapterErrors.ScaleNotFinite(options.Alpha, family.Scale);
    }

    /// <summary>The places of a family, as recipes name them; null where the method is not known.</summary>
    public static FamilyTargets? TargetsOf(this LortaCatalog catalog, string method) =>
        catalog.FamilyOf(method)?.Targets;

    /// <summary>The options with what the family decides written out: where it acts unless that is stated.</summary>
    public static AdapterOptions WithDefaults(this LortaCatalog catalog, AdapterOptions options) =>
        options with { Targets = options.Targets ?? catalog.TargetsOf(options.Method)?.Defaults };
}
