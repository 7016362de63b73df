using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inference;

/// <summary>Every claim of inference about every value of every export, held against what ONNX Runtime computes.</summary>
public sealed class ShapeInferenceFixtureTests
{
    public static IEnumerable<string> Exports => Fixtures.Files("models", "*.onnx");

    [TestCaseSource(nameof(Exports))]
    public void No_claim_is_wrong(string export)
    {
        // The CPU kernel of GroupQueryAttention takes several new tokens in a batch only when the cache is empty.
        var isGenAi = export.Contains("genai", StringComparison.Ordinal) || export.Contains("smollm2", StringComparison.Ordinal);

        foreach (var past in isGenAi ? [0] : new long[] { 0, 2 }) Check(export, new SymbolTable(past, headSize: export.StartsWith("smollm2", StringComparison.Ordinal) ? 64 : 32));
    }

    private static void Check(string export, SymbolTable symbols)
    {
        var model = OnnxModel.Load(Fixtures.Path("models", export));
        var made = model.Graph.Values.Where(value => value.Producer is not null).ToArray();
        // What the file says of values in between is not used; of its outputs it is (the length of a cache is a matter of the runtime).
        foreach (var value in made.Where(value => !model.Graph.IsOutput(value))) (value.Type, value.Shape, value.Declaration) = (ElementType.Undefined, null, default);
        ShapeInference.Infer(model.Graph);
        var claims = made.Select(value => new Claim(value.Name, value.Type, value.Shape, value.Content, value.Producer!.ToString())).ToArray();

        var found = new ExposedGraph(model, symbols).Run();

        Assert.That(claims.SelectMany(claim => Wrong(claim, found[claim.Name], symbols)), Is.Empty);
        var unknown = claims.Where(claim => claim.Shape is null).ToArray();
        var dims = claims.SelectMany(claim => claim.Shape ?? []).ToArray();
        var named = dims.Count(symbols.IsGiven);
        TestContext.Out.WriteLine($"{export}: rank of {claims.Length - unknown.Length} of {claims.Length} values; {named} of {dims.Length} dimensions are known or follow from the inputs");
        Assert.That(unknown, Is.Empty);
        Assert.That(named, Is.GreaterThanOrEqualTo(0.99 * dims.Length), string.Join('\n', claims.Where(claim => claim.Shape?.All(symbols.IsGiven) == false).Take(10)));
    }

    private static IEnumerable<string> Wrong(Claim claim, ExposedGraph.Found actual, SymbolTable symbols)
    {
        if (claim.Type != actual.Type) yield return $"{claim}: is {actual.Type}";
        if (claim.Shape is not null && !symbols.Agrees(claim.Shape, actual.Dims)) yield return $"{claim}: is [{string.Join(", ", actual.Dims)}]";
        if (claim.Content is not null && actual.Content is not null && !symbols.Agrees(claim.Content, actual.Content))
            yield return $"{claim}: [{string.Join(", ", claim.Content)}] is [{string.Join(", ", actual.Content)}]";
    }

    private sealed record Claim(string Name, ElementType Type, Shape? Shape, IReadOnlyList<Dim>? Content, string Node);
}
