namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A family by name: how it is made from options, and which options it has beside the common ones.</summary>
/// <param name="Method">Name in recipes and adapter files.</param>
/// <param name="Options">Its own options, from which checks, messages and the schema follow.</param>
/// <param name="Create">Makes it.</param>
public sealed record AdapterFamilyEntry(string Method, IReadOnlyList<FamilyOption> Options, Func<AdapterOptions, IAdapterFamily> Create);

/// <summary>An option of a family.</summary>
/// <param name="Name">Its key under <c>adapter.options</c>.</param>
/// <param name="Description">What it decides, for the schema.</param>
/// <param name="Values">The values that it takes, the default first; none = any text.</param>
public sealed record FamilyOption(string Name, string Description, params IReadOnlyList<string> Values);
