using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inference;

/// <summary>Every claim of inference about every value of every export, held against what ONNX Runtime computes.</summary>
public sealed class ShapeInferenceFixtureTests
{
    private static readonly string[] Quantised = ["genai", "int8", "fp16", "smollm2", "fused"];

    public static IEnumerable<string> Exports =>
        Fixtures.Root is not { } root
            ? []
            : Directory.GetFiles(Path.Combine(root, "models"), "*.onnx", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Path.Combine(root, "models"), path)).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Exports))]
    public void No_claim_is_wrong(string export)
    {
        var hasPast = !export.Contains("genai", StringComparison.Ordinal) && !export.Contains("smollm2", StringComparison.Ordinal);

        foreach (var past in hasPast ? [0, 2] : new long[] { 0 }) Check(export, new Dictionary<string, long>(StringComparer.Ordinal) { ["past"] = past });
    }

    private static void Check(string export, Dictionary<string, long> sizes)
    {
        var model = Model.Load(Fixtures.Path("models", export));
        ShapeInference.Infer(model.Graph);
        var claims = model.Graph.Values.Where(value => value.Producer is not null).Select(value => (value.Name, value.Type, value.Shape, value.Content)).ToArray();
        Assert.That(claims.Count(claim => claim.Shape is not null), Is.GreaterThanOrEqualTo(Math.Ceiling(0.99 * claims.Length)), $"unknown: {string.Join(", ", model.Graph.Nodes.Where(node => node.Outputs.Any(output => output is { Shape: null })).Select(node => node.ToString()).Take(10))}");

        var found = new ExposedGraph(model, sizes["past"]).Run();

        var symbols = new SymbolTable(sizes["past"]);
        var (dims, known) = (0, 0);
        var wrong = new List<string>();
        foreach (var (name, type, shape, content) in claims)
        {
            if (!found.TryGetValue(name, out var actual)) continue;
            if (actual.Type != type && type != ElementType.Undefined) wrong.Add($"{name}: {type}, is {actual.Type}");
            if (shape is null) continue;
            if (!symbols.Agrees(shape, actual.Dims)) wrong.Add($"{name}: {shape}, is [{string.Join(", ", actual.Dims)}] by {model.Graph.Find(name)!.Producer}");
            if (content is not null && actual.Content is not null && !symbols.Agrees(content, actual.Content)) wrong.Add($"{name} holds [{string.Join(", ", content)}], is [{string.Join(", ", actual.Content)}]");
            dims += shape.Rank;
            known += shape.Count(dim => !dim.Symbols.Any(symbol => symbol.StartsWith(name, StringComparison.Ordinal)));
        }
        TestContext.Out.WriteLine($"{export}: {claims.Length} values, rank of {claims.Count(claim => claim.Shape is not null)}, {known} of {dims} dimensions; fresh: "
            + string.Join(", ", claims.Where(claim => claim.Shape?.Any(dim => dim.Symbols.Any(symbol => symbol.StartsWith(claim.Name, StringComparison.Ordinal))) == true).Select(claim => $"{claim.Name}{claim.Shape}").Take(4)));
        Assert.That(wrong, Is.Empty);
        Assert.That(known, Is.GreaterThan(Quantised.Any(part => export.Contains(part, StringComparison.Ordinal)) ? 0.9 * dims : 0.97 * dims));
    }
}
