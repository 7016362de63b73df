using LoRTA.Onnx.GraphGen.Adapters.Planning;
using NUnit.Framework;

namespace LoRTA.Onnx.Testing;

/// <summary>Small models that families are tested on, as sizes: what differs between models is in one of them.</summary>
internal static class SampleSizes
{
    /// <summary>The models by name.</summary>
    public static IReadOnlyList<(string Name, Architecture Sizes)> Named { get; } =
    [
        ("plain heads", new(Hidden: 12, Heads: 3, KvHeads: 3, HeadWidth: 4, Layers: 3, Ffn: 10)),
        ("grouped queries", new(Hidden: 8, Heads: 4, KvHeads: 2, HeadWidth: 2, Layers: 2, Ffn: 6)),
        ("heads wider than the model", new(Hidden: 8, Heads: 4, KvHeads: 1, HeadWidth: 4, Layers: 2, Ffn: 6)),
    ];

    /// <summary>Each as a case of a test.</summary>
    public static IEnumerable<TestCaseData> All =>
        Named.Select(named => new TestCaseData(named.Sizes).SetArgDisplayNames(named.Name));
}
