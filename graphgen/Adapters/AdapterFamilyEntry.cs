namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A family by name: how it is made from options, and which options it has beside the common ones.</summary>
/// <param name="Method">Name in recipes and adapter files.</param>
/// <param name="Options">Names of its own options.</param>
/// <param name="Create">Makes it.</param>
public sealed record AdapterFamilyEntry(string Method, IReadOnlyList<string> Options, Func<AdapterOptions, IAdapterFamily> Create);
