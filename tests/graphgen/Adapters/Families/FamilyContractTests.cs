using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.Testing;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>What users' families are tested for, of every family of linear layers.</summary>
/// <param name="options">The adapter; of some families its options make another form.</param>
[TestFixtureSource(nameof(Forms))]
internal sealed class FamilyContractTests(AdapterOptions options)
    : AdapterFamilyTests(LortaCatalog.Default.FamilyOf(options.Method)!, LortaCatalog.Default)
{
    protected override AdapterOptions Options => options;

    private static IEnumerable<TestFixtureData> Forms => FamilyCase.Forms
        .Where(form => !LortaCatalog.Default.TargetsOf(form.Options.Method)!.AreAttention)
        .Select(form => new TestFixtureData(form.Options).SetArgDisplayNames(form.Name));
}
