using System.Text.Json;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Attention;

/// <summary>The matrices of MLPs, found by structure, against the parameters' names in PyTorch.</summary>
public sealed class MlpGoldenTests
{
    private static readonly (string Module, string Matrix)[] Modules =
    [
        (".mlp.gate_proj", "gate"), (".mlp.up_proj", "up"), (".mlp.down_proj", "down"), (".intermediate.dense", "up"), (".output.dense", "down"),
    ];

    private static IEnumerable<string> AllExports => Exports.All;

    [TestCaseSource(nameof(AllExports))]
    public void Every_matrix_is_the_parameter_that_PyTorch_calls_so(string export)
    {
        var expected = Parameters(export).Select(Described).Where(matrix => matrix.Length > 0).ToList();

        var map = AttentionMap.Of(CanonicalModel.Of(OnnxModel.Load(Exports.Path(export))));

        Assert.That(map.Layers.SelectMany(layer => layer.Sites).Where(site => site.Heads is null).Select(Describe), Is.EquivalentTo(expected));
        Assert.That(expected, Is.Not.Empty);
        Assert.That(map.Ffn, Is.EqualTo(map.Layers[0].Up!.Out));
    }

    [TestCaseSource(nameof(AllExports))]
    public void Every_bias_is_the_one_that_PyTorch_has_beside_the_weight(string export)
    {
        var biases = Parameters(export).Where(name => name.Name.EndsWith(".bias", StringComparison.Ordinal) && Matrix(name.Name) is not null)
            .Select(name => name.Initializer)
            .ToList();

        var map = AttentionMap.Of(CanonicalModel.Of(OnnxModel.Load(Exports.Path(export))));

        Assert.That(map.Layers.SelectMany(layer => layer.Sites).Where(site => site.Heads is null).Select(site => site.Stored.Bias).OfType<string>(), Is.EquivalentTo(biases));
    }

    // names.json has the float32 exports; of the others the names are those that the nodes' modules give.
    private static IReadOnlyList<ParameterName> Parameters(string export)
    {
        var (folder, key) = Exports.Split(export);
        if (Fixtures.Files("models", "names.json").Contains($"{folder}/names.json"))
        {
            var names = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("models", folder, "names.json"))).RootElement;
            if (names.TryGetProperty(key, out var golden)) return [.. golden.EnumerateObject().Where(entry => entry.Value.GetProperty("initializer").ValueKind != JsonValueKind.Null).Select(Read)];
        }
        return ParameterNames.Of(OnnxModel.Load(Exports.Path(export)));
    }

    private static ParameterName Read(JsonProperty entry) =>
        new(entry.Name, entry.Value.GetProperty("initializer").GetString()!, entry.Value.GetProperty("transposed").GetBoolean(), null, []);

    private static string? Matrix(string name) =>
        name.Contains("attention.output", StringComparison.Ordinal) ? null : Modules.FirstOrDefault(module => name.Contains(module.Module, StringComparison.Ordinal)).Matrix;

    private static string Described(ParameterName name) =>
        Matrix(name.Name) is { } matrix && name.Name.EndsWith(".weight", StringComparison.Ordinal)
            ? $"layers.{name.Name.Split('.').First(part => int.TryParse(part, out _))}.{matrix}: {name.Initializer} {name.Layout}"
            : string.Empty;

    private static string Describe(Projection site)
    {
        Assert.That(site.Stored.Columns, Is.EqualTo(new[] { (0L, (long)site.Out) }));
        return $"{site.Address}: {site.Stored.Weight} {site.Stored.Layout}";
    }
}
