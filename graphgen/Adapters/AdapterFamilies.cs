using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>The families of this project. A list that is passed in: users add theirs without touching it.</summary>
public static class AdapterFamilies
{
    /// <summary>All families that come with the project.</summary>
    public static IReadOnlyList<AdapterFamilyEntry> All { get; } =
    [
        new("lorta", ["zero", "init", "orientation", "p", "rslora"], options => new Lorta(options)),
        new("lora", ["rslora"], options => new Lora(options)),
    ];

    /// <summary>Makes the family that the options name.</summary>
    /// <exception cref="LortaException">LRT301 unknown method; LRT302 unknown option; LRT303 bad value; LRT317 a scale that is no number.</exception>
    public static IAdapterFamily Create(AdapterOptions options, IReadOnlyList<AdapterFamilyEntry>? families = null)
    {
        var entry = (families ?? All).FirstOrDefault(family => family.Method == options.Method)
            ?? throw AdapterErrors.UnknownMethod(options.Method, (families ?? All).Select(family => family.Method));
        if (options.Options.Keys.FirstOrDefault(name => !entry.Options.Contains(name)) is { } unknown)
            throw AdapterErrors.UnknownOption(options.Method, unknown, entry.Options);
        var family = entry.Create(options);
        return double.IsFinite(family.Scale) ? family : throw AdapterErrors.ScaleNotFinite(options.Alpha, family.Scale);
    }
}
