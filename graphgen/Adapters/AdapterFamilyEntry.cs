using System.Globalization;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A family by name: how it is made from options, and which options it has beside the common ones.</summary>
/// <param name="Method">Name in recipes and adapter files.</param>
/// <param name="Options">Its own options, from which checks, messages and the schema follow.</param>
/// <param name="Create">Makes it.</param>
public sealed record AdapterFamilyEntry(string Method, IReadOnlyList<FamilyOption> Options, Func<AdapterOptions, IAdapterFamily> Create)
{
    /// <summary>Its places, as recipes name them.</summary>
    internal FamilyTargets Targets => Create(new AdapterOptions { Method = Method }).Targets;
}

/// <summary>An option of a family.</summary>
/// <param name="Name">Its key under <c>adapter.options</c>.</param>
/// <param name="Description">What it decides, for the schema.</param>
/// <param name="Values">The values that it takes, the default first; none = any text.</param>
public sealed record FamilyOption(string Name, string Description, params IReadOnlyList<string> Values)
{
    /// <summary>The value where none is given.</summary>
    public string? Default { get; init; } = Values.Count > 0 ? Values[0] : null;

    /// <summary>What is wrong with a value, such as <c>must be an integer >= 1</c>; null = nothing.</summary>
    public Func<string, string?> Check { get; init; } = value =>
        Values.Count == 0 || Values.Contains(value) ? null : $"must be one of {string.Join(", ", Values)}";

    /// <summary>Its name and its values, or that which it has where none is given.</summary>
    public string InWords => $"{Name}={(Values.Count > 0 ? string.Join('|', Values) : Default)}";

    /// <summary>Whether its values are numbers, for the schema.</summary>
    internal string? SchemaType { get; private init; }

    /// <summary>An option that is an integer.</summary>
    public static FamilyOption Integer(string name, string description, int? byDefault, int least = 1) =>
        new(name, description)
        {
            Default = byDefault?.ToString(CultureInfo.InvariantCulture),
            SchemaType = "integer",
            Check = value => int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number >= least
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"must be an integer >= {least}"),
        };

    /// <summary>An option that is a finite number.</summary>
    public static FamilyOption Number(string name, string description, double byDefault, double least = 0) =>
        new(name, description)
        {
            Default = byDefault.ToString(CultureInfo.InvariantCulture),
            SchemaType = "number",
            Check = value => double.TryParse(value, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                && number >= least ? null : string.Create(CultureInfo.InvariantCulture, $"must be a number >= {least}"),
        };

    /// <summary>An option that is true or false.</summary>
    public static FamilyOption Flag(string name, string description, bool byDefault = false) =>
        byDefault ? new(name, description, "true", "false") : new(name, description, "false", "true");
}
